/* Built-in architectures with seeded random weights: models without files. */
#ifndef NCL_ZOO_ZOO_H
#define NCL_ZOO_ZOO_H

#include "graph/graph.h"

/* resnet18, 34, 50, 101, 152, resnext50_32x4d, resnext101_32x8d, wide_resnet50_2 as torchvision
 * defines them (the stride in the 3x3). One input `input` (N, 3, H, W; N, H, W free), one output
 * `output` (N, classes); batch normalisation is not folded. Nodes are named as torchvision's
 * modules, weights as its parameters.
 *
 * Every weight depends on seed, its tensor and its position alone, so the same call gives the same
 * bits anywhere. Their sizes keep activations in range: for inputs of about unit variance, logits
 * have a standard deviation of 1 to 3.
 *
 * Any thread; free with ncl_graph_free. NCL_ERROR_INPUT for an unknown name (the message lists
 * those there are), NCL_ERROR_USAGE for classes outside 1..100000, NCL_ERROR_MEMORY. */
ncl_status ncl_zoo_build(const struct ncl_log *log, const char *name, uint64_t seed, int classes,
                         struct ncl_graph **graph);
/* The name of architecture `index`, NULL past the last one. */
const char *ncl_zoo_name(int index);

#endif
