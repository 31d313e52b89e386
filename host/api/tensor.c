#include "api/context.h"

#include "image/image.h"
#include "import/npy.h"

#include <stdlib.h>
#include <string.h>

ncl_status ncl_tensor_load(ncl_context *context, const char *path, ncl_tensor *tensor)
{
    if (!context || !path || !tensor)
        return ncl_fail_null("ncl_tensor_load");
    return ncl_npy_load(&context->log, path, tensor);
}

ncl_status ncl_tensor_save(ncl_context *context, const char *path, const ncl_tensor *tensor)
{
    if (!context || !path || !tensor)
        return ncl_fail_null("ncl_tensor_save");
    return ncl_npy_save(&context->log, path, tensor);
}

ncl_status ncl_indices_load(ncl_context *context, const char *path, int64_t **indices,
                            size_t *count)
{
    if (!context || !path || !indices || !count)
        return ncl_fail_null("ncl_indices_load");
    return ncl_npy_load_indices(&context->log, path, indices, count);
}

void ncl_tensor_free(ncl_tensor *tensor)
{
    if (!tensor)
        return;
    free(tensor->data);
    *tensor = (ncl_tensor){0};
}

void ncl_image_options_init(ncl_image_options *options)
{
    if (!options)
        return;
    *options = (ncl_image_options){.struct_size = sizeof *options};
}

ncl_status ncl_image_load(ncl_context *context, const char *path, const ncl_image_options *options,
                          float *pixels)
{
    ncl_image_options defaults;
    ncl_status status = NCL_OK;

    if (!context || !path || !pixels)
        return ncl_fail_null("ncl_image_load");
    ncl_image_options_init(&defaults);
    if (options)
        status = ncl_check_size(&context->log, "image options (ncl_image_options_init sets it)",
                                options->struct_size, offsetof(ncl_image_options, channels),
                                sizeof *options);
    if (status != NCL_OK)
        return status;
    if (options)
        memcpy(&defaults, options, options->struct_size);
    return ncl_image_read(&context->log, path, &defaults, pixels);
}

const char *ncl_imagenet_label(int index)
{
    return ncl_image_label(index);
}
