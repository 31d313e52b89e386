#include "session/times.h"

#include "base/clock.h"

/* In an in-order queue a launch starts after the one before has ended. Clocks that tick in steps,
 * or are converted, may err by so much. */
#define TOLERANCE_NS 2000

int ncl_times_count(const struct ncl_session *session)
{
    return session->schedule->part_count + session->graph->input_count +
           session->graph->output_count;
}

void ncl_times_note(struct ncl_session *session, int command, uint64_t before, cl_event event)
{
    struct ncl_command_times *times = &session->times[command];

    times->host[0] = before;
    times->host[1] = ncl_clock_ns();
    times->event = event;
    if (event)
        session->device->cl->RetainEvent(event);
}

/* Of several launches, from the first one's start to the last one's end. */
static bool read_times(const struct ncl_device *device, struct ncl_command_times *times)
{
    uint64_t first[NCL_EVENT_TIMES];

    if (!times->event || !ncl_event_times(device, times->event, times->device))
        return false;
    if (!times->first)
        return true;
    if (!ncl_event_times(device, times->first, first) ||
        first[NCL_STARTED] > times->device[NCL_ENDED])
        return false;
    for (int i = NCL_QUEUED; i < NCL_ENDED; i++)
        times->device[i] = first[i];
    return true;
}

/* A layer of several parts takes as long as they do together; of unknown length if one of them is.
 */
static void sum_seconds(struct ncl_session *session)
{
    const int count = session->schedule->part_count;

    for (int i = 0; i < session->schedule->step_count; i++)
        session->layers[i].seconds = 0;
    for (int i = 0; i < count; i++) {
        double *seconds = &session->layers[session->schedule->parts[i].step].seconds;
        const cl_event last = session->times[i].event;
        const cl_event first = session->times[i].first ? session->times[i].first : last;
        uint64_t ns = 0;

        if (*seconds < 0 || !last || !ncl_event_span_ns(session->device, first, last, &ns))
            *seconds = -1;
        else
            *seconds += (double)ns * 1e-9;
    }
    for (int i = 0; i < session->schedule->step_count; i++)
        if (session->layers[i].seconds < 0)
            session->layers[i].seconds = 0;
}

void ncl_times_collect(struct ncl_session *session)
{
    const int count = ncl_times_count(session);

    for (int i = 0; i < count; i++)
        session->times[i].known = read_times(session->device, &session->times[i]);
    sum_seconds(session);
}

void ncl_times_forget(struct ncl_session *session)
{
    const int count = session->times ? ncl_times_count(session) : 0;

    for (int i = 0; i < count; i++) {
        if (session->times[i].first)
            session->device->cl->ReleaseEvent(session->times[i].first);
        if (session->times[i].event)
            session->device->cl->ReleaseEvent(session->times[i].event);
        session->times[i] = (struct ncl_command_times){0};
    }
}

const char *ncl_times_clock(const struct ncl_session *session)
{
    const int count = session->schedule->part_count;
    uint64_t ended = 0;

    if (!session->device->profiling || count == 0 || !session->times[0].event)
        return "none";
    for (int i = 0; i < count; i++) {
        const struct ncl_command_times *times = &session->times[i];

        if (!times->known || session->layers[session->schedule->parts[i].step].seconds <= 0 ||
            times->device[NCL_STARTED] + TOLERANCE_NS < ended)
            return "broken";
        ended = times->device[NCL_ENDED];
    }
    return "device";
}

static json_t *command_json(const struct ncl_command_times *times)
{
    const uint64_t *t = times->device;
    json_t *host = times->event
                       ? json_pack("[I, I]", (json_int_t)times->host[0], (json_int_t)times->host[1])
                       : json_null();
    json_t *device = times->known ? json_pack("[I, I, I, I]", (json_int_t)t[NCL_QUEUED],
                                              (json_int_t)t[NCL_SUBMITTED],
                                              (json_int_t)t[NCL_STARTED], (json_int_t)t[NCL_ENDED])
                                  : json_null();

    return json_pack("{s:o, s:o}", "host_ns", host, "device_ns", device);
}

static json_t *shape_json(const struct ncl_shape *shape)
{
    return json_pack("[i, i, i, i]", shape->n, shape->c, shape->h, shape->w);
}

static double weight_count(const struct ncl_problem *problem)
{
    const struct ncl_window *window = &problem->of.conv.window;

    if (problem->kind != NCL_PROBLEM_CONV)
        return 0;
    return (double)problem->y.c * problem->x.c / problem->of.conv.groups * window->kernel_h *
           window->kernel_w;
}

static double tensor_bytes(const struct ncl_problem *problem, const struct ncl_shape *shape,
                           enum ncl_order order)
{
    return (double)ncl_shape_elements(shape, order, problem->channel_block) *
           (double)ncl_element_bytes(order, problem->half);
}

/* Each tensor once: what a perfect cache leaves. Part of a concatenation is written alone. */
static double step_bytes(const struct ncl_session *session, int index,
                         const struct ncl_problem *problem)
{
    const struct ncl_step *step = &session->schedule->steps[index];
    double bytes = tensor_bytes(problem, &problem->x, problem->x_order) +
                   tensor_bytes(problem, &problem->y, problem->y_order) +
                   weight_count(problem) * (problem->half ? 2.0 : 4.0);

    if (step->residual >= 0)
        bytes += tensor_bytes(problem, &problem->y, problem->y_order);
    if (step->z >= 0)
        bytes += tensor_bytes(problem, &problem->of.binary.z, problem->x_order);
    return bytes;
}

static json_t *work_json(const struct ncl_session *session, int step,
                         const struct ncl_problem *problem)
{
    return json_pack("{s:o, s:o, s:f}", "input", shape_json(&problem->x), "output",
                     shape_json(&problem->y), "bytes", step_bytes(session, step, problem));
}

static json_t *chunks_json(const struct ncl_session *session, int step)
{
    const struct ncl_schedule *schedule = session->schedule;
    json_t *chunks = json_array();

    for (int i = session->layers[step].part; chunks && i < schedule->part_count; i++) {
        const struct ncl_part *part = &schedule->parts[i];
        json_t *object;

        if (part->step != step)
            continue;
        object = work_json(session, step, &part->problem);
        json_object_update_new(object, command_json(&session->times[i]));
        json_object_update_new(object, json_pack("{s:i, s:f}", "first_image", part->first, "macs",
                                                 ncl_problem_macs(&part->problem)));
        json_array_append_new(chunks, object);
    }
    return chunks;
}

json_t *ncl_times_json(const struct ncl_session *session, int step)
{
    static const struct ncl_command_times none;
    const struct ncl_problem *whole = &session->schedule->steps[step].problem;
    const int images = ncl_step_images(session->schedule, step);
    json_t *object = work_json(session, step, whole);

    if (images == whole->y.n) {
        json_object_update_new(object, command_json(&session->times[session->layers[step].part]));
        return object;
    }
    json_object_update_new(object, command_json(&none));
    json_object_set_new(object, "chunk_images", json_integer(images));
    json_object_set_new(object, "chunks", chunks_json(session, step));
    return object;
}

json_t *ncl_transfers_json(const struct ncl_session *session)
{
    const int first = session->schedule->part_count, inputs = session->graph->input_count;
    json_t *transfers = json_array();

    for (int i = 0; transfers && i < ncl_times_count(session) - first; i++) {
        const int slot = i < inputs ? ncl_session_input_slot(session, i)
                                    : ncl_session_output_slot(session, i - inputs);
        json_t *object = json_pack("{s:s, s:s, s:I}", "name", session->schedule->slots[slot].name,
                                   "op", i < inputs ? "write" : "read", "bytes",
                                   (json_int_t)ncl_session_slot_bytes(session, slot));

        json_object_update_new(object, command_json(&session->times[first + i]));
        json_array_append_new(transfers, object);
    }
    return transfers;
}
