#include "base/clock.h"
#include "session/advice.h"
#include "session/times.h"

/* Commands run one after the other: an in-order queue keeps the order by itself, in any other each
 * command waits for the one before. */
struct chain {
    const struct ncl_device *device;
    const cl_event *waits; /* for the next command: the caller's list, then our last event */
    cl_uint wait_count;
    cl_event last;
};

static void chain_advance(struct chain *chain, cl_event event)
{
    if (chain->last)
        chain->device->cl->ReleaseEvent(chain->last);
    chain->last = event;
    chain->waits = event ? &chain->last : NULL;
    chain->wait_count = event ? 1 : 0;
}

/* Does the next command have to leave an event behind? */
static bool chain_needs_event(const struct chain *chain)
{
    return !chain->device->in_order || chain->device->profiling;
}

/* A command's event serves the chain and, where times are wanted, the report of the run. */
static void chain_command(struct chain *chain, struct ncl_session *session, int command,
                          uint64_t before, cl_event event)
{
    if (session->device->profiling)
        ncl_times_note(session, command, before, event);
    chain_advance(chain, event);
}

ncl_status ncl_session_enqueue_part(struct ncl_session *session, int part, cl_uint wait_count,
                                    const cl_event *waits, cl_event *first, cl_event *event)
{
    const struct ncl_device *device = session->device;
    const int step = session->schedule->parts[part].step;
    const struct ncl_launch *launch = &session->parts[session->schedule->parts[part].same].launch;
    bool fell_back = false;
    ncl_status status;

    for (;; fell_back = true) {
        status = ncl_launch_enqueue(device, launch, device->queue, wait_count, waits, first, event);
        if (status == NCL_OK && fell_back)
            ncl_session_remember(session, step);
        if (status == NCL_OK)
            return NCL_OK;
        if (status != NCL_ERROR_DEVICE)
            return ncl_fail_within(status, "layer '%s'", session->schedule->steps[step].name);
        status = ncl_session_fall_back(session, step, NCL_VERDICT_LAUNCH);
        if (status != NCL_OK)
            return status;
    }
}

static ncl_status run_parts(struct ncl_session *session, struct chain *chain)
{
    ncl_status status = NCL_OK;

    for (int i = 0; status == NCL_OK && i < session->schedule->part_count; i++) {
        cl_event event = NULL;
        const uint64_t before = ncl_clock_ns();

        status =
            ncl_session_enqueue_part(session, i, chain->wait_count, chain->waits,
                                     session->device->profiling ? &session->times[i].first : NULL,
                                     chain_needs_event(chain) ? &event : NULL);
        if (status == NCL_OK)
            chain_command(chain, session, i, before, event);
    }
    return status;
}

ncl_status ncl_session_rebind(struct ncl_session *session, int slot, cl_mem buffer)
{
    ncl_status status = NCL_OK;

    if (session->bound[slot] == buffer)
        return NCL_OK;
    session->bound[slot] = buffer;
    for (int i = 0; status == NCL_OK && i < session->schedule->part_count; i++) {
        const struct ncl_part *part = &session->schedule->parts[i];
        const struct ncl_step *step = &session->schedule->steps[part->step];
        struct ncl_launch *launch = &session->parts[i].launch;

        if (part->same != i)
            continue;
        if (step->x == slot)
            status = ncl_launch_rebind(session->device, launch, NCL_ARG_X, buffer);
        if (status == NCL_OK && step->z == slot)
            status = ncl_launch_rebind(session->device, launch, NCL_ARG_Z, buffer);
        if (status == NCL_OK && step->residual == slot)
            status = ncl_launch_rebind(session->device, launch, NCL_ARG_RESIDUAL, buffer);
        if (status == NCL_OK && step->y == slot)
            status = ncl_launch_rebind(session->device, launch, NCL_ARG_Y, buffer);
    }
    return status;
}

/* A buffer must be as large as its tensor claims: a kernel would write past its end. */
static ncl_status check_memory(const struct ncl_session *session, const ncl_tensor *tensor,
                               const char *what, const char *name)
{
    const struct ncl_device *device = session->device;
    size_t bytes = 0;
    const cl_int code =
        device->cl->GetMemObjectInfo(tensor->mem, CL_MEM_SIZE, sizeof bytes, &bytes, NULL);

    if (code)
        return ncl_fail_within(ncl_cl_fail(device->log, "clGetMemObjectInfo", code), "%s '%s'",
                               what, name);
    if (bytes < tensor->bytes)
        return ncl_fail(device->log, NCL_ERROR_USAGE,
                        "%s '%s': a buffer of %zu bytes, expected %zu", what, name, bytes,
                        tensor->bytes);
    return NCL_OK;
}

ncl_status ncl_session_check_tensor(const struct ncl_session *session, const ncl_tensor *tensor,
                                    int slot, const char *what, size_t index)
{
    const struct ncl_slot *s = &session->schedule->slots[slot];
    const size_t bytes = ncl_session_slot_bytes(session, slot);
    const struct ncl_log *log = session->device->log;

    if (tensor->element != NCL_FLOAT32 || (!tensor->data && !tensor->mem))
        return ncl_fail(log, NCL_ERROR_USAGE, "%s %zu: expected float32 data or a buffer", what,
                        index);
    if (tensor->rank != s->rank)
        return ncl_fail(log, NCL_ERROR_INPUT, "%s '%s': expected rank %d, found %d", what, s->name,
                        s->rank, tensor->rank);
    for (int i = 0; i < s->rank; i++)
        if (tensor->dims[i] != s->dims[i])
            return ncl_fail(log, NCL_ERROR_INPUT, "%s '%s': dimension %d is %lld, expected %lld",
                            what, s->name, i, (long long)tensor->dims[i], (long long)s->dims[i]);
    if (tensor->bytes < bytes)
        return ncl_fail(log, NCL_ERROR_USAGE, "%s '%s': %zu bytes, expected %zu", what, s->name,
                        tensor->bytes, bytes);
    return tensor->mem ? check_memory(session, tensor, what, s->name) : NCL_OK;
}

static ncl_status give_input(struct ncl_session *session, struct chain *chain, int input,
                             const ncl_tensor *tensor)
{
    const struct ncl_device *device = session->device;
    const int slot = ncl_session_input_slot(session, input);
    const uint64_t before = ncl_clock_ns();
    cl_event event = NULL;
    cl_int code;

    if (tensor->mem)
        return ncl_session_rebind(session, slot, tensor->mem);
    code = device->cl->EnqueueWriteBuffer(
        device->queue, session->slots[slot], CL_FALSE, 0, ncl_session_slot_bytes(session, slot),
        tensor->data, chain->wait_count, chain->waits, chain_needs_event(chain) ? &event : NULL);
    if (code)
        return ncl_cl_fail(device->log, "clEnqueueWriteBuffer", code);
    chain_command(chain, session, session->schedule->part_count + input, before, event);
    return ncl_session_rebind(session, slot, session->slots[slot]);
}

static ncl_status take_output(struct ncl_session *session, struct chain *chain, int output,
                              const ncl_tensor *tensor)
{
    const struct ncl_device *device = session->device;
    const int slot = ncl_session_output_slot(session, output);
    const int command = session->schedule->part_count + session->graph->input_count + output;
    const uint64_t before = ncl_clock_ns();
    cl_event event = NULL;
    cl_int code;

    if (tensor->mem)
        return NCL_OK;
    code = device->cl->EnqueueReadBuffer(
        device->queue, session->slots[slot], CL_TRUE, 0, ncl_session_slot_bytes(session, slot),
        tensor->data, chain->wait_count, chain->waits, chain_needs_event(chain) ? &event : NULL);
    if (code)
        return ncl_cl_fail(device->log, "clEnqueueReadBuffer", code);
    chain_command(chain, session, command, before, event);
    return NCL_OK;
}

static ncl_status check_io(const struct ncl_session *session, const struct ncl_session_io *io)
{
    const size_t inputs = (size_t)session->graph->input_count;
    const size_t outputs = (size_t)session->graph->output_count;
    ncl_status status = NCL_OK;

    if (io->input_count != inputs || io->output_count != outputs)
        return ncl_fail(session->device->log, NCL_ERROR_USAGE,
                        "%zu inputs and %zu outputs given, the model has %zu and %zu",
                        io->input_count, io->output_count, inputs, outputs);
    for (size_t i = 0; status == NCL_OK && i < inputs; i++)
        status = ncl_session_check_tensor(session, &io->inputs[i],
                                          ncl_session_input_slot(session, (int)i), "input", i);
    for (size_t i = 0; status == NCL_OK && i < outputs; i++)
        status = ncl_session_check_tensor(session, &io->outputs[i],
                                          ncl_session_output_slot(session, (int)i), "output", i);
    for (size_t i = 0; status == NCL_OK && io->event && i < inputs + outputs; i++)
        if (!(i < inputs ? io->inputs[i] : io->outputs[i - inputs]).mem)
            status = ncl_fail(session->device->log, NCL_ERROR_USAGE,
                              "enqueue: every tensor must be a device buffer");
    return status;
}

static ncl_status enqueue_all(struct ncl_session *session, struct chain *chain,
                              const struct ncl_session_io *io)
{
    ncl_status status = NCL_OK;

    for (size_t i = 0; status == NCL_OK && i < io->input_count; i++)
        status = give_input(session, chain, (int)i, &io->inputs[i]);
    for (size_t i = 0; status == NCL_OK && i < io->output_count; i++) {
        const int slot = ncl_session_output_slot(session, (int)i);

        status = ncl_session_rebind(session, slot,
                                    io->outputs[i].mem ? io->outputs[i].mem : session->slots[slot]);
    }
    if (status == NCL_OK)
        status = run_parts(session, chain);
    for (size_t i = 0; status == NCL_OK && i < io->output_count; i++)
        status = take_output(session, chain, (int)i, &io->outputs[i]);
    return status;
}

/* Hands the caller an event for everything enqueued so far. */
static ncl_status final_event(const struct chain *chain, cl_event *event)
{
    const struct ncl_device *device = chain->device;
    const cl_int code = device->cl->EnqueueMarkerWithWaitList(device->queue, chain->wait_count,
                                                              chain->waits, event);

    if (code)
        return ncl_cl_fail(device->log, "clEnqueueMarkerWithWaitList", code);
    device->cl->Flush(device->queue);
    return NCL_OK;
}

ncl_status ncl_session_execute(struct ncl_session *session, const struct ncl_session_io *io)
{
    struct chain chain = {session->device, io->waits, io->wait_count, NULL};
    ncl_status status = check_io(session, io);

    if (status != NCL_OK)
        return status;
    ncl_times_forget(session);
    status = enqueue_all(session, &chain, io);
    if (status == NCL_OK && io->event)
        status = final_event(&chain, io->event);
    if (status != NCL_OK || !io->event) {
        const cl_int code = session->device->cl->Finish(session->device->queue);

        if (code && status == NCL_OK)
            status = ncl_cl_fail(session->device->log, "clFinish", code);
        if (status == NCL_OK && session->on_trial)
            ncl_session_acquit(session);
        ncl_times_collect(session);
    } else {
        ncl_times_forget(session); /* whoever waits for the event is not here to read them */
    }
    chain_advance(&chain, NULL);
    return status;
}
