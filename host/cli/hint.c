/* What tuning might bring, said once for every device and net. */
#include "layers.h"

#include <stdio.h>

/* NULL: not known, or nobody wants to know. */
static json_t *ask(const struct cli_options *options, const struct cli_session *session)
{
    char *text = NULL;
    json_t *root = NULL;

    if (!options->quiet &&
        ncl_report(session->context, NCL_REPORT_TUNING, session->session, &text) == NCL_OK)
        root = json_loads(text, 0, NULL);
    ncl_free(text);
    return root;
}

void cli_hint_add(const struct cli_options *options, const struct cli_session *session,
                  json_t *root)
{
    json_t *hint = ask(options, session);

    json_object_del(hint, "first");
    if (hint)
        json_object_set_new(root, "tuning", hint);
}

void cli_hint_print(const struct cli_options *options, const struct cli_session *session)
{
    json_t *hint = options->json ? NULL : ask(options, session);
    const double gain = cli_number(hint, "gain");
    char usual[64] = "";

    if (gain > 0)
        snprintf(usual, sizeof usual, ", which usually saves %.0f %% of their time here",
                 100 * gain);
    if (json_is_true(json_object_get(hint, "first")))
        fprintf(stderr,
                "nextcl: %.0f of %.0f layers were never tuned on this device%s: nextcl tune %s\n",
                cli_number(hint, "untuned"), cli_number(hint, "layers"), usual,
                options->arguments[0]);
    json_decref(hint);
}
