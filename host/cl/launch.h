/* What a launch is made of, as plain data: an algorithm describes it, plan binds it. */
#ifndef NCL_CL_LAUNCH_H
#define NCL_CL_LAUNCH_H

#include "base/text.h"
#include "cl/table.h"

struct ncl_range {
    size_t global[3], local[3]; /* unused dimensions are 1 */
};

/* Buffers that a kernel argument may stand for. */
enum ncl_role {
    NCL_ARG_X,         /* main input */
    NCL_ARG_Z,         /* second operand of a binary operation */
    NCL_ARG_W,         /* packed weights */
    NCL_ARG_BIAS,      /* per channel, padded to whole blocks */
    NCL_ARG_SCALE,     /* per channel, padded */
    NCL_ARG_SHIFT,     /* per channel, padded */
    NCL_ARG_RESIDUAL,  /* added before the activation */
    NCL_ARG_Y,         /* output */
    NCL_ARG_WORKSPACE, /* scratch memory of algorithms of several stages */
    NCL_ROLE_COUNT
};

enum ncl_arg_kind { NCL_ARG_KIND_BUFFER, NCL_ARG_KIND_INT, NCL_ARG_KIND_FLOAT };
#define NCL_MAX_ARGS 40

/* Arguments in the kernel's order. Adding past the end only sets `overflow`. */
struct ncl_args {
    struct {
        enum ncl_arg_kind kind;
        union {
            enum ncl_role role;
            cl_int i;
            cl_float f;
        } value;
    } items[NCL_MAX_ARGS];
    int count;
    bool overflow;
};
void ncl_arg_buffer(struct ncl_args *args, enum ncl_role role);
void ncl_arg_int(struct ncl_args *args, int value);
void ncl_arg_float(struct ncl_args *args, float value);

/* Build-time constants of one kernel variant: "#define NAME value" lines. Two layers whose defines
 * are equal share a kernel body. */
struct ncl_defines {
    struct ncl_text text;
};
void ncl_define(struct ncl_defines *defines, const char *name, int value);
void ncl_define_float(struct ncl_defines *defines, const char *name, float value); /* exact: hex */

#endif
