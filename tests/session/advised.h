/* Sessions with a store, and records about their first convolution. */
#ifndef NCL_TESTS_ADVISED_H
#define NCL_TESTS_ADVISED_H

#include "plan/records.h"
#include "session/advice.h"
#include "support/fault.h"
#include "support/fixture.h"

struct advised {
    struct fixture f;
    struct ncl_store *store;
    struct ncl_problem problem; /* of the step `at` */
    struct ncl_point standard;  /* what the planner chooses for it */
    int at, steps;
    ncl_tensor input, output; /* without records */
};

static inline struct ncl_session *advised_session_as(const struct advised *a, int channel_block)
{
    struct ncl_session_config config = fixture_config(&a->f);
    const struct ncl_dims dims = fixture_dims(&a->f);
    struct ncl_session *session = NULL;

    config.store = a->store;
    config.channel_block_free = !channel_block;
    MUST(ncl_session_make(&config, a->f.model->graph, &dims, 1, &session));
    return session;
}

static inline struct ncl_session *advised_session(const struct advised *a)
{
    return advised_session_as(a, 8);
}

/* Its result has the bits of the session without records. */
static inline void advised_run(const struct advised *a, struct ncl_session *session)
{
    ncl_tensor output = fixture_output(session);

    MUST(fixture_run(session, &a->input, &output));
    ck_assert_mem_eq(output.data, a->output.data, output.bytes);
    free(output.data);
}

static inline void advised_open(struct advised *a)
{
    struct ncl_session *session;

    set_up();
    /* First uses are timed against the planner's own points: let records that advise `direct` win.
     */
    setenv("NCL_LAYER_CLOCK", "source", 1);
    setenv("NCL_LAYER_FAST", "FN(ncl_direct)", 1);
    *a = (struct advised){0};
    fixture_open(&a->f, FIXTURE_RESIDUALS, true);
    a->store = open_store();
    session = fixture_session(&a->f);
    a->steps = session->schedule->step_count;
    while (session->schedule->steps[a->at].problem.kind != NCL_PROBLEM_CONV)
        a->at++;
    a->problem = *ncl_session_problem(session, a->at);
    a->standard = session->layers[a->at].choice.point;
    a->input = fixture_input(session, 1);
    a->output = fixture_output(session);
    MUST(fixture_run(session, &a->input, &a->output));
    ncl_session_destroy(session);
}

static inline void advised_close(struct advised *a)
{
    free(a->input.data);
    free(a->output.data);
    ncl_store_close(a->store);
    fixture_close(&a->f);
    place_drop();
    unsetenv("NCL_LAYER_CLOCK");
    unsetenv("NCL_LAYER_FAST");
}

/* A legal point that the planner would not choose. */
static inline struct ncl_point another_point(void)
{
    return point_of("direct", "WG=8");
}

static inline struct ncl_standing standing_of(const struct advised *a,
                                              const struct ncl_point *point)
{
    struct ncl_standing standing;

    ncl_lookup_standing(a->store, &a->problem, &a->f.device.caps, point, &standing);
    return standing;
}

static inline void expect_layer(const struct advised *a, const struct ncl_session *session,
                                const struct ncl_point *point, const char *source)
{
    const struct ncl_session_layer_state *layer = &session->layers[a->at];

    ck_assert_str_eq(layer->choice.point.algo->name, point->algo->name);
    ck_assert(ncl_point_equal(&layer->choice.point, point));
    ck_assert_str_eq(layer->choice.source, source);
}

#endif
