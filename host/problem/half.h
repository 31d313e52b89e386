/* Half precision numbers (IEEE binary16) as precision fp16 stores them: 11 significant bits,
 * magnitudes from 2^-24 to 65504. Devices convert likewise, through vload_half and vstore_half_rte.
 */
#ifndef NCL_PROBLEM_HALF_H
#define NCL_PROBLEM_HALF_H

#include <stddef.h>
#include <stdint.h>

/* The least magnitude that is rounded to infinity. */
#define NCL_HALF_OVERFLOW 65520.0f

/* Rounded to nearest even, subnormals kept; NaN -> 0x7e00 of its sign. */
uint16_t ncl_half_from_float(float value);
float ncl_half_to_float(uint16_t half); /* exact */
float ncl_half_round(float value);      /* there and back */

void ncl_halves_from_floats(const float *values, size_t count, uint16_t *halves);
void ncl_halves_to_floats(const uint16_t *halves, size_t count, float *values);

#endif
