#include "session/worker.h"

ncl_status ncl_tune_worker(int in, int out)
{
    return ncl_worker_serve(in, out);
}
