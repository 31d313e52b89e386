/* Checks of algorithms: every usable OpenCL device of the environment, every output compared with
 * the host oracle, bit for bit in canonical form. An algorithm's test lists problems, nothing else:
 *
 *     static const struct ncl_problem problems[] = {
 *         NCL_CHECK_CONV(1, 64, 14, 14, 96, 1, 1, 0, 1),
 *     };
 *     int main(void)
 *     {
 *         return ncl_check_main(&(struct ncl_check){.algo = &ncl_algo_pointwise,
 *                                                   NCL_CHECK_PROBLEMS(problems)});
 *     }
 *
 * The suite runs
 *   descriptor  synthetic devices x problems x channel blocks: defaults are legal, sampled points
 *               launch within the device's limits
 *   bits        defaults and sampled legal points with varied epilogues; output poisoned with NaN;
 *               guard zones around every buffer; tail lanes +0
 *   special     the same with infinities and NaN in the input
 *   in place    the residual in the output's buffer, where residual_may_alias allows it
 *   can fail    a planted error (one weight or input changed) must be noticed
 * for channel blocks 4, 8 and 16 on CPUs, and the preferred one elsewhere; for algorithms that say
 * so each problem also with halves in memory, at one of the channel blocks, and with half_math
 * where the device has fp16, within its bound. Problems the algorithm does not apply to at some
 * channel block are left out there; a problem that it applies to nowhere fails the suite, unless it
 * is listed in `refused`. Keep problems small: some devices emulate fma at 1 GFLOP/s, and each
 * kernel variant takes 0.1 to 0.5 s to build.
 *
 * $NCL_CHECK_POINTS: sampled points per problem and channel block (default: points, else 1; at most
 * 1 where ncl_check_fma_is_long). $NCL_CHECK_DEVICE: a device as in --device; others are skipped.
 */
#ifndef NCL_TESTS_ALGO_CHECK_H
#define NCL_TESTS_ALGO_CHECK_H

#include "algo/algo.h"
#include "cl/device.h"
#include <check.h>

struct ncl_check {
    const struct ncl_algo *algo;
    /* channel_block 0: the check sets 4, 8, 16 in turn; else only that one. Epilogues, for
     * convolutions and NCL_PROBLEM_SCALE: those given, and varied ones besides, unless
     * fixed_epilogue. Other kinds: as given. */
    const struct ncl_problem *problems;
    size_t count;
    /* Problems that applicable() must refuse at every channel block. */
    const struct ncl_problem *refused;
    size_t refused_count;
    bool fixed_epilogue;
    /* No infinities and NaN in the input: the algorithm spreads them further than the oracle. */
    bool finite_inputs;
    bool as_gpu; /* every device is presented as a GPU: for kernels that CPUs are not offered */
    int points;  /* sampled points per problem and channel block, besides the defaults; 0: 1 */
};
#define NCL_CHECK_PROBLEMS(array) .problems = (array), .count = sizeof(array) / sizeof((array)[0])
#define NCL_CHECK_REFUSED(array)                                                                   \
    .refused = (array), .refused_count = sizeof(array) / sizeof((array)[0])

/* Length of a window's output, as a constant expression. */
#define NCL_CHECK_OUT(in, kernel, stride, dilation, before, after)                                 \
    (((in) + (before) + (after) - (dilation) * ((kernel)-1) - 1) / (stride) + 1)

/* Members of a problem; square window, same padding on all sides. Usable inside
 * (struct ncl_problem){NCL_CHECK_CONV_MEMBERS(...), .epilogue = ...}. */
#define NCL_CHECK_CONV_MEMBERS(n, c, h, w, k, kernel, stride, pad, group_count)                    \
    NCL_CHECK_CONV_WINDOW(n, c, h, w, k, group_count, kernel, kernel, stride, stride, 1, 1, pad,   \
                          pad, pad, pad)
/* Everything apart: kernel, stride, dilation as h, w; padding top, left, bottom, right. */
#define NCL_CHECK_CONV_WINDOW(in_n, in_c, in_h, in_w, k, group_count, kh, kw, sh, sw, dh, dw, top, \
                              left, bottom, right)                                                 \
    .kind = NCL_PROBLEM_CONV, .finite = true, .x = {in_n, in_c, in_h, in_w},                       \
    .y = {in_n, k, NCL_CHECK_OUT(in_h, kh, sh, dh, top, bottom),                                   \
          NCL_CHECK_OUT(in_w, kw, sw, dw, left, right)},                                           \
    .x_order = NCL_BLOCKED, .y_order = NCL_BLOCKED,                                                \
    .of.conv = {.window = {kh, kw, sh, sw, dh, dw, top, left, bottom, right},                      \
                .groups = group_count}
#define NCL_CHECK_CONV(n, c, h, w, k, kernel, stride, pad, group_count)                            \
    {                                                                                              \
        NCL_CHECK_CONV_MEMBERS(n, c, h, w, k, kernel, stride, pad, group_count)                    \
    }

/* The whole program: runs the suite, and `extra` if not NULL (an algorithm's own tests). Returns
 * the number of failures, as main() should. */
int ncl_check_main(const struct ncl_check *check);
int ncl_check_main_with(const struct ncl_check *check, Suite *extra);

/* ---- below: what the suite is made of ---- */

/* One run of one variant. */
struct ncl_check_job {
    struct ncl_problem problem; /* channel_block and epilogue set */
    int v[NCL_MAX_TUNABLES];
    unsigned seed;          /* of inputs, weights and epilogue parameters */
    bool special;           /* infinities and NaN in x */
    bool alias;             /* the residual's buffer is the output's */
    bool planted;           /* the device gets one changed weight (or input): must mismatch */
    char problem_text[224]; /* set by the run: signature and parameters */
    char message[512];      /* set by the run: "" or the first thing that is wrong */
};
/* Composes and builds all jobs in a few programs, runs them and compares. `message` of each job
 * says what is wrong with it; a program that fails to build fails each of its jobs. */
void ncl_check_run(const struct ncl_device *device, const struct ncl_algo *algo,
                   struct ncl_check_job *jobs, size_t count);

/* Devices of the environment, opened; *count 0 with a printed "skipped: reason" where there is none
 * or $NCL_CHECK_DEVICE matches none. Opened once per program. */
const struct ncl_device *ncl_check_devices(size_t *count);
/* Devices opened from now on say that they are GPUs; results are the device's own all the same. */
void ncl_check_present_gpus(void);
/* Does the device emulate fma in hundreds of instructions, each time anew, as CPU devices do that
 * vectorise across work-items? A kernel of many takes its compiler minutes: points are fewer there,
 * and kernels that it is offered only as a GPU run with math fast, which is checked against bounds,
 * not bits. */
bool ncl_check_fma_is_long(const struct ncl_device *device);
/* Before main() returns: exit handlers run when implementations have torn down their own state. */
void ncl_check_devices_close(void);
/* The channel blocks to test on a device, 0-terminated. */
const int *ncl_check_channel_blocks(const struct ncl_caps *caps);

/* Devices that need not be here: AVX2 and AVX-512 CPUs, GPUs of several kinds, tiny limits. */
extern const struct ncl_caps ncl_check_synthetic[];
extern const size_t ncl_check_synthetic_count;

/* Draws a legal point; false: none found in a few thousand tries. state: any seed, advanced. */
bool ncl_check_sample(const struct ncl_algo *algo, const struct ncl_problem *p,
                      const struct ncl_caps *caps, unsigned *state, int *v);
unsigned ncl_check_random(unsigned *state);
float ncl_check_float(unsigned *state); /* in -1 .. 1, never subnormal */

#endif
