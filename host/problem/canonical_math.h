/* exp, reciprocal, log and sigmoid from operations that every OpenCL device rounds alike: + - *,
 * fma, comparisons, selects and integer arithmetic on float bits. cl/common/math.clh is the same
 * algorithm on vectors and must give the same bits.
 *
 * No result depends on how subnormals are treated. NaN in, NaN out. */
#ifndef NCL_PROBLEM_CANONICAL_MATH_H
#define NCL_PROBLEM_CANONICAL_MATH_H

/* e^x within 1 ulp. x > 0x1.62e42ep6 (88.72...): +Inf. x < -0x1.5d589ep6 (-87.33...): +0, where
 * the result would be subnormal. */
float ncl_exp(float x);
/* 1 / x, correctly rounded but for the mantissa 0x1.fffffe (0.5000001 ulp: the neighbour). Zero and
 * subnormal x: Inf of x's sign. |x| > 2^126, where the result would be subnormal, and infinite x:
 * zero of x's sign. */
float ncl_reciprocal(float x);
/* The natural logarithm of x >= 1, within 1 ulp; +Inf of +Inf. */
float ncl_log(float x);
/* ncl_reciprocal(1 + ncl_exp(-x)), within 3 ulp: +0 below -87.33..., 1 above 17. */
float ncl_sigmoid(float x);

#endif
