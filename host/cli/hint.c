/* What tuning might bring, said once for every device and net. */
#include "layers.h"

#include <stdio.h>

/* NULL: not known, or nobody wants to know. */
static json_t *ask(const struct cli_options *options, const struct cli_session *session,
                   ncl_report_kind kind)
{
    char *text = NULL;
    json_t *root = NULL;

    if (!options->quiet && ncl_report(session->context, kind, session->session, &text) == NCL_OK)
        root = json_loads(text, 0, NULL);
    ncl_free(text);
    return root;
}

void cli_hint_add(const struct cli_options *options, const struct cli_session *session,
                  json_t *root)
{
    json_t *hint = ask(options, session, NCL_REPORT_TUNING);

    json_object_del(hint, "first");
    if (hint)
        json_object_set_new(root, "tuning", hint);
}

/* What tune would take where the model leaves dimensions free. */
#define USUAL_BATCH 1
#define USUAL_SIZE 224

/* The options with which tune looks at this input's shape. */
static struct cli_options of_shape(const struct cli_options *options,
                                   const struct cli_session *session, const ncl_tensor *input)
{
    struct cli_options same = *options;
    bool known;
    ncl_io io;
    int side;

    if (ncl_model_input(session->model, 0, &io) != NCL_OK || input->rank != 4)
        return same;
    known = io.rank == input->rank;
    side = io.layout == NCL_NHWC ? 1 : 2;
    if (!(known && io.dims[0] >= 0) && input->dims[0] != USUAL_BATCH)
        same.batch = (int)input->dims[0];
    if (!(known && io.dims[side] >= 0) && input->dims[side] != USUAL_SIZE &&
        input->dims[side] == input->dims[side + 1])
        same.size = (int)input->dims[side];
    return same;
}

void cli_hint_print(const struct cli_options *options, const struct cli_session *session,
                    const ncl_tensor *input)
{
    json_t *hint = options->json ? NULL : ask(options, session, NCL_REPORT_HINT);
    const struct cli_options same = of_shape(options, session, input);
    const double gain = cli_number(hint, "gain");
    char usual[64] = "", net[CLI_REPEATED];

    if (gain > 0)
        snprintf(usual, sizeof usual, ", which usually saves %.0f %% of their time here",
                 100 * gain);
    if (json_is_true(json_object_get(hint, "first")))
        fprintf(stderr,
                "nextcl: %.0f of %.0f layers were never tuned on this device%s: nextcl tune %s\n",
                cli_number(hint, "untuned"), cli_number(hint, "layers"), usual,
                cli_repeat_options(&same, net, sizeof net));
    json_decref(hint);
}
