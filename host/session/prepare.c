/* Building programs while weights are packed: a driver that has compiled them before reads them on
 * one processor, and the others have nothing to do. */
#include "session/compile.h"

#include "base/thread.h"

#include <stdio.h>

enum { BUILD, PACK, JOBS };

struct job {
    struct ncl_session *session;
    ncl_status status;
    char error[512]; /* errors belong to threads: this one's is carried to the caller's */
};

static void work(void *user, size_t index)
{
    struct job *job = (struct job *)user + index;
    struct ncl_session *session = job->session;

    if (index == BUILD) {
        job->status = ncl_kernels_build(&session->kernels);
    } else {
        job->status = ncl_session_allocate(session);
        if (job->status == NCL_OK)
            job->status = ncl_session_pack_weights(session);
    }
    if (job->status != NCL_OK)
        snprintf(job->error, sizeof job->error, "%s", ncl_error_text());
}

static bool any_failed(const struct ncl_session *session)
{
    for (size_t i = 0; i < session->kernels.count; i++)
        if (session->kernels.variants[i].failed)
            return true;
    return false;
}

/* Memory was planned for all of the first choices: where one does not build, nothing of it stays.
 */
static ncl_status do_both(struct ncl_session *session)
{
    struct job jobs[JOBS] = {{.session = session}, {.session = session}};

    ncl_parallel_for(JOBS, work, jobs);
    for (int i = 0; i < JOBS; i++) {
        if (jobs[i].status == NCL_OK)
            continue;
        ncl_error_set(jobs[i].error);
        return jobs[i].status;
    }
    session->packed = !any_failed(session);
    if (!session->packed)
        ncl_session_release_buffers(session);
    return NCL_OK;
}

ncl_status ncl_session_prepare(struct ncl_session *session)
{
    ncl_status status = ncl_compile_kernels(session);

    if (status == NCL_OK && session->device->caps.type == NCL_DEVICE_CPU)
        status = do_both(session);
    return status == NCL_OK ? ncl_session_build_kernels(session) : status;
}
