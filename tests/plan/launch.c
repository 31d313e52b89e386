#include "plan/launch.h"

#include "plan/choose.h"
#include "plan/kernels.h"
#include "plan/problems.h"
#include "support/devices.h"
#include "support/suite.h"

#include <string.h>

#define FLOATS (16 * 4 * 4)

/* An addition, built; buffers 0 and 1 are its operands, 2 and 3 may take its result. */
struct sum {
    struct ncl_device *device;
    struct ncl_kernels set;
    struct ncl_problem problem;
    struct ncl_choice choice;
    int variant;
    cl_mem mem[4];
    cl_mem roles[NCL_ROLE_COUNT];
};

static void sum_make(struct sum *s, struct ncl_device *device)
{
    float values[FLOATS];

    *s = (struct sum){.device = device, .set = {.device = device}, .problem = add_problem(16)};
    ck_assert_int_eq(ncl_choose(NULL, &s->problem, &device->caps, 0, &s->choice), NCL_OK);
    ck_assert_int_eq(
        ncl_kernels_add(&s->set, s->choice.point.algo, s->choice.point.v, &s->problem, &s->variant),
        NCL_OK);
    ck_assert_int_eq(ncl_kernels_build(&s->set), NCL_OK);
    for (int i = 0; i < 4; i++) {
        for (int k = 0; k < FLOATS; k++)
            values[k] = (float)(k * (i + 1));
        ck_assert_int_eq(ncl_buffer_create(device, CL_MEM_READ_WRITE, sizeof values, &s->mem[i]),
                         NCL_OK);
        ck_assert_int_eq(ncl_buffer_write(device, s->mem[i], 0, values, sizeof values), NCL_OK);
    }
    s->roles[NCL_ARG_X] = s->mem[0];
    s->roles[NCL_ARG_Z] = s->mem[1];
    s->roles[NCL_ARG_Y] = s->mem[2];
}

static void sum_free(struct sum *s)
{
    for (int i = 0; i < 4; i++)
        ncl_buffer_release(s->device, &s->mem[i]);
    ncl_kernels_free(&s->set);
}

static ncl_status bind(struct sum *s, struct ncl_launch *launch)
{
    return ncl_launch_bind(s->device, s->set.variants[s->variant].program, s->variant,
                           s->choice.point.algo, s->choice.point.v, &s->problem, s->roles, launch);
}

static void check_values(const struct sum *s, int buffer, float factor)
{
    float values[FLOATS];

    ck_assert_int_eq(ncl_buffer_read(s->device, s->mem[buffer], 0, values, sizeof values), NCL_OK);
    for (int k = 0; k < FLOATS; k++)
        ck_assert_msg(values[k] == (float)k * factor, "%d: %g", k, (double)values[k]);
}

static void check_run(struct ncl_device *device)
{
    struct sum s;
    struct ncl_launch launch;
    cl_event event = NULL;

    sum_make(&s, device);
    ck_assert_int_eq(bind(&s, &launch), NCL_OK);
    ck_assert_int_eq(ncl_launch_enqueue(device, &launch, device->queue, 0, NULL, NULL, &event),
                     NCL_OK);
    check_values(&s, 2, 3); /* 1 k + 2 k */
    check_values(&s, 3, 4); /* untouched */
    ck_assert_int_eq(ncl_launch_rebind(device, &launch, NCL_ARG_Y, s.mem[3]), NCL_OK);
    ck_assert_int_eq(ncl_launch_rebind(device, &launch, NCL_ARG_Z, s.mem[2]), NCL_OK);
    ck_assert_int_eq(ncl_launch_enqueue(device, &launch, device->queue, 1, &event, NULL, NULL),
                     NCL_OK);
    check_values(&s, 3, 4);
    check_values(&s, 2, 3);
    device->cl->ReleaseEvent(event);
    ncl_launch_release(device, &launch);
    ncl_launch_release(device, &launch);
    sum_free(&s);
}

START_TEST(runs_and_can_be_pointed_elsewhere)
{
    ncl_on_every_device(check_run);
}
END_TEST

static void check_errors(struct ncl_device *device)
{
    struct sum s;
    struct ncl_launch launch;

    sum_make(&s, device);
    s.roles[NCL_ARG_Z] = NULL;
    ck_assert_int_eq(bind(&s, &launch), NCL_ERROR_DEVICE);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), "no buffer for argument z"));
    ncl_launch_release(device, &launch);
    s.roles[NCL_ARG_Z] = s.mem[1];
    s.variant += 5; /* no kernel of this name */
    ck_assert_int_eq(ncl_launch_bind(device, s.set.variants[0].program, s.variant,
                                     s.choice.point.algo, s.choice.point.v, &s.problem, s.roles,
                                     &launch),
                     NCL_ERROR_DEVICE);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), "CL_INVALID_KERNEL_NAME"));
    ncl_launch_release(device, &launch);
    sum_free(&s);
}

START_TEST(errors_name_the_algorithm)
{
    ncl_on_every_device(check_errors);
}
END_TEST

static ncl_status called_library(const struct ncl_device *device, const int *v,
                                 const struct ncl_problem *p, const cl_mem *buffers,
                                 cl_command_queue queue, cl_event *event)
{
    (void)v;
    return device->cl->EnqueueCopyBuffer(queue, buffers[NCL_ARG_X], buffers[NCL_ARG_Y], 0, 0,
                                         (size_t)p->y.c * sizeof(float), 0, NULL, event)
               ? NCL_ERROR_DEVICE
               : NCL_OK;
}

static void check_library(struct ncl_device *device)
{
    struct sum s;
    struct ncl_algo algo;
    struct ncl_launch launch;
    cl_event event = NULL;
    float value[2];

    sum_make(&s, device);
    algo = *s.choice.point.algo;
    algo.host_run = called_library;
    s.choice.point.algo = &algo;
    ck_assert_int_eq(ncl_kernels_add(&s.set, &algo, s.choice.point.v, &s.problem, &s.variant),
                     NCL_OK);
    ck_assert_int_eq(ncl_kernels_build(&s.set), NCL_OK);
    ck_assert_ptr_null(s.set.variants[s.variant].program);
    ck_assert_int_eq(bind(&s, &launch), NCL_OK);
    ck_assert_int_eq(ncl_launch_enqueue(device, &launch, device->queue, 0, NULL, NULL, &event),
                     NCL_OK);
    ck_assert_int_eq(ncl_launch_rebind(device, &launch, NCL_ARG_Y, s.mem[3]), NCL_OK);
    ck_assert_int_eq(ncl_launch_enqueue(device, &launch, device->queue, 1, &event, NULL, NULL),
                     NCL_OK);
    ck_assert_int_eq(ncl_buffer_read(device, s.mem[3], 0, value, sizeof value), NCL_OK);
    ck_assert(value[1] == 1);
    device->cl->ReleaseEvent(event);
    ncl_launch_release(device, &launch);
    sum_free(&s);
}

START_TEST(an_algorithm_may_call_a_library)
{
    ncl_on_every_device(check_library);
}
END_TEST

static const struct ncl_algo *sum_algo;

/* The arguments of a sum of other buffers. */
static void sum_args(struct ncl_args *args, const int *v, const struct ncl_problem *p,
                     const enum ncl_role roles[NCL_ROLE_COUNT])
{
    sum_algo->set_args(args, v, p);
    for (int i = 0; i < args->count; i++)
        if (args->items[i].kind == NCL_ARG_KIND_BUFFER)
            args->items[i].value.role = roles[args->items[i].value.role];
}

static void second_args(struct ncl_args *args, const int *v, const struct ncl_problem *p)
{
    static const enum ncl_role roles[NCL_ROLE_COUNT] = {
        [NCL_ARG_X] = NCL_ARG_X, [NCL_ARG_Z] = NCL_ARG_Y, [NCL_ARG_Y] = NCL_ARG_WORKSPACE};

    sum_args(args, v, p, roles);
}

static void third_args(struct ncl_args *args, const int *v, const struct ncl_problem *p)
{
    static const enum ncl_role roles[NCL_ROLE_COUNT] = {
        [NCL_ARG_X] = NCL_ARG_WORKSPACE, [NCL_ARG_Z] = NCL_ARG_Z, [NCL_ARG_Y] = NCL_ARG_Y};

    sum_args(args, v, p, roles);
}

/* y = x + z; workspace = x + y; y = workspace + z. */
static void run_stages(struct sum *s)
{
    const struct ncl_device *device = s->device;
    struct ncl_launch launch;
    cl_event first = NULL, last = NULL;
    uint64_t ns = 0;

    ck_assert_int_eq(bind(s, &launch), NCL_OK);
    ck_assert_int_eq(ncl_launch_enqueue(device, &launch, device->queue, 0, NULL, &first, &last),
                     NCL_OK);
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_ne(first, last);
    check_values(s, 3, 4); /* 1 k + 3 k */
    check_values(s, 2, 6); /* 4 k + 2 k */
    if (ncl_event_ns(device, first, &ns) && ncl_event_ns(device, last, &ns)) {
        uint64_t span = 0;

        ck_assert(ncl_event_span_ns(device, first, last, &span));
        ck_assert_uint_gt(span, ns);
    }
    device->cl->ReleaseEvent(first);
    device->cl->ReleaseEvent(last);
    ncl_launch_release(device, &launch);
}

static void check_stages(struct ncl_device *device)
{
    struct sum s;
    struct ncl_launch launch;
    struct ncl_algo algo;

    sum_make(&s, device);
    sum_algo = s.choice.point.algo;
    algo = *sum_algo;
    algo.stages = (const struct ncl_stage[]){{algo.kernel, algo.geometry, algo.set_args},
                                             {algo.kernel, algo.geometry, second_args},
                                             {algo.kernel, algo.geometry, third_args}};
    algo.stage_count = 3;
    s.choice.point.algo = &algo;
    ck_assert_int_eq(bind(&s, &launch), NCL_ERROR_DEVICE);
    ck_assert_ptr_nonnull(strstr(ncl_error_text(), "no buffer for argument workspace"));
    ncl_launch_release(device, &launch);
    s.roles[NCL_ARG_WORKSPACE] = s.mem[3];
    run_stages(&s);
    device->in_order = false; /* as far as launches know: they chain the stages by events */
    run_stages(&s);
    sum_free(&s);
}

START_TEST(stages_run_in_order)
{
    ncl_on_every_device(check_stages);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("launch");

    tcase_add_test(tests, runs_and_can_be_pointed_elsewhere);
    tcase_add_test(tests, errors_name_the_algorithm);
    tcase_add_test(tests, stages_run_in_order);
    tcase_add_test(tests, an_algorithm_may_call_a_library);
    return ncl_run_suite(tests, "launch");
}
