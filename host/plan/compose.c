#include "plan/compose.h"

#include <ctype.h>
#include <string.h>

static void define_epilogue(struct ncl_defines *defines, const struct ncl_problem *p)
{
    const struct ncl_epilogue *e = &p->epilogue;

    ncl_define(defines, "HAS_BIAS", e->bias);
    ncl_define(defines, "HAS_SCALE", e->scale);
    ncl_define(defines, "HAS_RES", e->residual);
    ncl_define(defines, "ACT", (int)e->act);
    if (e->act == NCL_ACT_CLIP || e->act == NCL_ACT_LEAKY) {
        ncl_define_float(defines, "ACT_A", e->a);
        ncl_define_float(defines, "ACT_B", e->b);
    }
}

void ncl_compose_defines(struct ncl_defines *defines, const struct ncl_algo *algo, const int *v,
                         const struct ncl_problem *p)
{
    ncl_define(defines, "CB", p->channel_block);
    ncl_define(defines, "FAST", p->fast);
    ncl_define(defines, "HALF", p->half);
    ncl_define(defines, "HALF_MATH", ncl_algo_half_math(algo, p));
    define_epilogue(defines, p);
    ncl_define(defines, "Y_TAIL", p->y.c % p->channel_block);
    ncl_define(defines, "X_PLAIN", p->x_order == NCL_PLAIN);
    ncl_define(defines, "Y_PLAIN", p->y_order == NCL_PLAIN);
    for (int i = 0; i < algo->tunable_count; i++)
        if (!(algo->arguments >> i & 1))
            ncl_define(defines, algo->tunables[i].name, v[i]);
    if (algo->defines)
        algo->defines(defines, v, p);
}

/* Appends "#undef NAME" for every "#define NAME" in text: the next variant starts from nothing, so
 * bodies and their headers need no include-once care. */
static void undefine_all(struct ncl_text *source, const char *text)
{
    static const char directive[] = "#define ";
    const char *at = text;

    while ((at = strstr(at, directive)) != NULL) {
        const bool starts_line = at == text || at[-1] == '\n';
        size_t length = 0;

        at += sizeof directive - 1;
        while (isalnum((unsigned char)at[length]) || at[length] == '_')
            length++;
        if (starts_line)
            ncl_text_add(source, "#undef %.*s\n", (int)length, at);
    }
}

void ncl_compose_variant(struct ncl_text *source, const struct ncl_algo *algo,
                         const struct ncl_defines *defines, int suffix)
{
    const char *body = ncl_algo_source(algo->source);

    if (!body || !defines->text.data || defines->text.failed) {
        source->failed = true;
        return;
    }
    ncl_text_add(source, "#define NCL_SUFFIX %d\n", suffix);
    ncl_text_append(source, defines->text.data, defines->text.length);
    ncl_text_append(source, body, strlen(body));
    ncl_text_add(source, "\n#undef NCL_SUFFIX\n");
    undefine_all(source, defines->text.data);
    undefine_all(source, body);
}
