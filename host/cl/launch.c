#include "cl/launch.h"
#include <inttypes.h>
#include <string.h>

static void add(struct ncl_args *args, enum ncl_arg_kind kind, enum ncl_role role, int i, float f)
{
    if (args->count >= NCL_MAX_ARGS) {
        args->overflow = true;
        return;
    }
    args->items[args->count].kind = kind;
    if (kind == NCL_ARG_KIND_BUFFER) {
        args->items[args->count].value.role = role;
    } else if (kind == NCL_ARG_KIND_INT) {
        args->items[args->count].value.i = i;
    } else {
        args->items[args->count].value.f = f;
    }
    args->count++;
}

void ncl_arg_buffer(struct ncl_args *args, enum ncl_role role)
{
    add(args, NCL_ARG_KIND_BUFFER, role, 0, 0.0f);
}

void ncl_arg_int(struct ncl_args *args, int value)
{
    add(args, NCL_ARG_KIND_INT, NCL_ARG_X, value, 0.0f);
}

void ncl_arg_float(struct ncl_args *args, float value)
{
    add(args, NCL_ARG_KIND_FLOAT, NCL_ARG_X, 0, value);
}

void ncl_define(struct ncl_defines *defines, const char *name, int value)
{
    /* Parenthesised: "x NAME" must not become "x -1" inside an expression. */
    ncl_text_add(&defines->text, value < 0 ? "#define %s (%d)\n" : "#define %s %d\n", name, value);
}

/* From the bits, because printf's %a writes the locale's decimal point. */
void ncl_define_float(struct ncl_defines *defines, const char *name, float value)
{
    uint32_t bits = 0;

    memcpy(&bits, &value, sizeof(bits));
    const char *sign = bits >> 31 != 0 ? "-" : "";
    const int biased = (int)(bits >> 23 & 0xff);
    const uint32_t mantissa = (bits & 0x7fffff) << 1; /* 23 bits as six hex digits */

    if (biased == 0xff) {
        ncl_text_add(&defines->text, "#define %s (%s)\n", name,
                     mantissa != 0  ? "NAN"
                     : sign[0] != 0 ? "-INFINITY"
                                    : "INFINITY");
    } else {
        ncl_text_add(&defines->text, "#define %s (%s0x%d.%06" PRIx32 "p%+df)\n", name, sign,
                     biased != 0, mantissa, biased != 0 ? biased - 127 : -126);
    }
}
