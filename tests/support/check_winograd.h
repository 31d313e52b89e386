/* Winograd's algorithms are held to the error bound that cl/common/winograd.clh states. */
#ifndef NCL_TESTS_CHECK_WINOGRAD_H
#define NCL_TESTS_CHECK_WINOGRAD_H

#include "support/algo_check.h"

/* A suite for ncl_check_main_with: random inputs, inputs and weights of one sign, of many
 * magnitudes, and such that transforms cancel, against a convolution in double. algo has a tunable
 * M. */
Suite *ncl_check_winograd_suite(const struct ncl_algo *algo);

#endif
