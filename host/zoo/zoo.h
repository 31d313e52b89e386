/* Built-in architectures with seeded random weights: models without files. */
#ifndef NCL_ZOO_ZOO_H
#define NCL_ZOO_ZOO_H

#include "graph/graph.h"

/* Each net has one input `input`, batch and size free, and one output `output` (N, classes); batch
 * normalisation is not folded, grouped convolutions are as their origin has them.
 *
 *   resnet18, 34, 50, 101, 152, resnext50_32x4d, resnext101_32x8d, wide_resnet50_2
 *       as torchvision defines them, the stride in the 3x3; input (N, 3, H, W), output logits;
 *       nodes are named as its modules, weights as its parameters
 *   resnext50_keras
 *       as Keras code writes it, with 32 slices and convolutions a block, 'same' padding and a bias
 *       in the stem; input (N, H, W, 3), output probabilities; Keras's names, kernels OIHW
 *   resnext50_keras_late
 *       as Keras executes such code where the loop's functions bind late: all 32 groups read the
 *       last one's channels; the same weights
 *   preact_resnet18, preact_resnet50
 *       pre-activation blocks (He et al., 2016) in torch; input (N, 3, H, W), output logits
 *
 * Every weight depends on seed, its tensor and its position alone, so the same call gives the same
 * bits anywhere. Their sizes keep activations in range: for inputs of about unit variance, logits
 * (before a softmax) have a standard deviation of 1 to 3 from 64 to 224 pixels.
 *
 * Any thread; free with ncl_graph_free. NCL_ERROR_INPUT for an unknown name (the message lists
 * those there are), NCL_ERROR_USAGE for classes outside 1..100000, NCL_ERROR_MEMORY. */
ncl_status ncl_zoo_build(const struct ncl_log *log, const char *name, uint64_t seed, int classes,
                         struct ncl_graph **graph);
/* The name of architecture `index`, NULL past the last one. */
const char *ncl_zoo_name(int index);

#endif
