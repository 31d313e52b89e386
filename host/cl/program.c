#include "cl/program.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/version.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_CONTEXT_DEVICES 32
#define MAX_BINARY ((size_t)64 << 20)
#define KEY_BYTES 64

/* What the cache keeps: this header, then the driver's binary. Machine byte order: a cache does not
 * travel. */
struct header {
    char magic[8];
    uint64_t bytes;
    struct ncl_hash checksum;
};
static const char magic[8] = {'N', 'C', 'L', 'B', 'I', 'N', '0', '1'};

/* Length first, so that no two different lists of texts make the same key text. */
static void add_keyed(struct ncl_text *text, const char *part)
{
    ncl_text_add(text, "%zu:", strlen(part));
    ncl_text_append(text, part, strlen(part));
}

/* Of the binary, or where the driver keeps that, of a note. */
static bool make_key(const struct ncl_device *device, const char *source, const char *options,
                     char key[KEY_BYTES])
{
    const struct ncl_caps *caps = &device->caps;
    struct ncl_text text = {0};
    char platform_version[512] = "";
    char digits[NCL_HASH_TEXT] = "";

    if (device->binaries.get == NULL) {
        return false;
    }
    device->cl->GetPlatformInfo(device->platform, CL_PLATFORM_VERSION, sizeof(platform_version) - 1,
                                platform_version, NULL);
    ncl_text_add(&text, "%s;", NCL_VERSION_TEXT);
    add_keyed(&text, caps->platform);
    add_keyed(&text, platform_version);
    add_keyed(&text, caps->name);
    add_keyed(&text, caps->vendor);
    add_keyed(&text, caps->driver);
    add_keyed(&text, caps->version);
    add_keyed(&text, caps->c_version);
    add_keyed(&text, options);
    add_keyed(&text, source);
    if (!text.failed) {
        ncl_hash_text(ncl_hash_bytes(text.data, text.length), digits);
        memcpy(key, caps->caches_programs ? "built   " : "program ", 8);
        memcpy(key + 8, digits, sizeof(digits));
    }
    const bool made = !text.failed;
    ncl_text_free(&text);
    return made;
}

/* The payload of a cached block, NULL if anything about it is wrong. */
static const unsigned char *unwrap(const void *data, size_t size, size_t *payload_bytes)
{
    struct header header;
    struct ncl_hash found;
    const unsigned char *payload = (const unsigned char *)data + sizeof(header);

    if (size <= sizeof(header)) {
        return NULL;
    }
    memcpy(&header, data, sizeof(header));
    if (memcmp(header.magic, magic, sizeof(magic)) != 0 || header.bytes != size - sizeof(header)) {
        return NULL;
    }
    found = ncl_hash_bytes(payload, size - sizeof(header));
    if (found.low != header.checksum.low || found.high != header.checksum.high) {
        return NULL;
    }
    *payload_bytes = size - sizeof(header);
    return payload;
}

static cl_program build_binary(const struct ncl_device *device, const unsigned char *binary,
                               size_t bytes, const char *options)
{
    const struct ncl_cl *cl = device->cl;
    cl_int binary_code = CL_SUCCESS, code = CL_SUCCESS;
    cl_program program = cl->CreateProgramWithBinary(device->context, 1, &device->id, &bytes,
                                                     &binary, &binary_code, &code);

    if (code == CL_SUCCESS) {
        code = binary_code != CL_SUCCESS
                   ? binary_code
                   : cl->BuildProgram(program, 1, &device->id, options, NULL, NULL);
    }
    if (code == CL_SUCCESS) {
        return program;
    }
    ncl_note(device->log, NCL_LOG_INFO, "cached program refused by the driver: %s (%d)",
             ncl_cl_error_name(code), (int)code);
    ncl_program_release(device, &program);
    return NULL;
}

/* NULL: not there, or unusable for whatever reason. */
static cl_program load_cached(const struct ncl_device *device, const char *key, const char *options)
{
    void *data = NULL;
    size_t size = 0, bytes = 0;
    const unsigned char *binary = NULL;
    cl_program program = NULL;

    if (device->binaries.get(device->binaries.self, key, &data, &size) != NCL_OK) {
        return NULL;
    }
    binary = unwrap(data, size, &bytes);
    if (binary == NULL) {
        ncl_note(device->log, NCL_LOG_INFO, "cached program damaged: building from source");
    } else {
        program = build_binary(device, binary, bytes, options);
    }
    free(data);
    return program;
}

/* Size of the binary for our device; *index is its place among the context's devices. 0: none. */
static size_t binary_size(const struct ncl_device *device, cl_program program, cl_uint *count,
                          cl_uint *index)
{
    const struct ncl_cl *cl = device->cl;
    cl_device_id ids[MAX_CONTEXT_DEVICES];
    size_t sizes[MAX_CONTEXT_DEVICES] = {0};

    if (cl->GetProgramInfo(program, CL_PROGRAM_NUM_DEVICES, sizeof(*count), count, NULL) !=
            CL_SUCCESS ||
        *count > MAX_CONTEXT_DEVICES ||
        cl->GetProgramInfo(program, CL_PROGRAM_DEVICES, *count * sizeof(ids[0]), ids, NULL) !=
            CL_SUCCESS ||
        cl->GetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, *count * sizeof(sizes[0]), sizes,
                           NULL) != CL_SUCCESS) {
        return 0;
    }
    for (*index = 0; *index < *count; ++*index) {
        if (ids[*index] == device->id) {
            return sizes[*index];
        }
    }
    return 0;
}

static void store_binary(const struct ncl_device *device, cl_program program, const char *key)
{
    unsigned char *binaries[MAX_CONTEXT_DEVICES] = {0}; /* NULL: not asked for */
    struct header header = {0};
    cl_uint count = 0, index = 0;
    const size_t bytes = binary_size(device, program, &count, &index);
    unsigned char *block = NULL;

    if (bytes == 0 || bytes > MAX_BINARY) {
        return;
    }
    block = ncl_alloc(sizeof(header) + bytes, 1);
    if (block == NULL) {
        return;
    }
    binaries[index] = block + sizeof(header);
    if (device->cl->GetProgramInfo(program, CL_PROGRAM_BINARIES, count * sizeof(binaries[0]),
                                   binaries, NULL) == CL_SUCCESS) {
        memcpy(header.magic, magic, sizeof(magic));
        header.bytes = bytes;
        header.checksum = ncl_hash_bytes(binaries[index], bytes);
        memcpy(block, &header, sizeof(header));
        device->binaries.put(device->binaries.self, key, block, sizeof(header) + bytes);
    }
    free(block);
}

/* The build log; free. NULL: none. */
static char *read_build_log(const struct ncl_device *device, cl_program program)
{
    const struct ncl_cl *cl = device->cl;
    size_t bytes = 0;
    char *text = NULL;

    if (cl->GetProgramBuildInfo(program, device->id, CL_PROGRAM_BUILD_LOG, 0, NULL, &bytes) !=
            CL_SUCCESS ||
        bytes == 0 || bytes > MAX_BINARY) {
        return NULL;
    }
    text = ncl_alloc(bytes + 1, 1);
    if (text != NULL && cl->GetProgramBuildInfo(program, device->id, CL_PROGRAM_BUILD_LOG, bytes,
                                                text, NULL) != CL_SUCCESS) {
        text[0] = '\0';
    }
    return text;
}

/* Splits text into lines, logs them, returns the first that names an error, else the first. */
static const char *note_lines(const struct ncl_device *device, char *text)
{
    const char *first = NULL, *error = NULL;
    char *rest = NULL;

    for (char *line = strtok_r(text, "\r\n", &rest); line != NULL;
         line = strtok_r(NULL, "\r\n", &rest)) {
        ncl_note(device->log, NCL_LOG_DEBUG, "build log: %s", line);
        first = first == NULL ? line : first;
        error = error == NULL && strcasestr(line, "error") != NULL ? line : error;
    }
    if (error != NULL) {
        return error;
    }
    return first != NULL ? first : "the driver gives no reason";
}

static ncl_status fail_build(const struct ncl_device *device, cl_program program, cl_int code)
{
    char nothing[1] = "";
    char *text = read_build_log(device, program);
    const char *line = note_lines(device, text != NULL ? text : nothing);
    const ncl_status status =
        ncl_fail(device->log, ncl_cl_status(code), "%s: building program: %s (%d): %s",
                 device->caps.name, ncl_cl_error_name(code), (int)code, line);

    free(text);
    return status;
}

static ncl_status build_source(const struct ncl_device *device, const char *source,
                               const char *options, cl_program *program)
{
    const struct ncl_cl *cl = device->cl;
    ncl_status status = NCL_OK;
    cl_int code = CL_SUCCESS;

    *program = cl->CreateProgramWithSource(device->context, 1, &source, NULL, &code);
    if (code != CL_SUCCESS) {
        *program = NULL;
        return ncl_cl_fail(device->log, "creating a program", code);
    }
    code = cl->BuildProgram(*program, 1, &device->id, options, NULL, NULL);
    if (code != CL_SUCCESS) {
        status = fail_build(device, *program, code);
        ncl_program_release(device, program);
    }
    return status;
}

ncl_status ncl_program_build(const struct ncl_device *device, const char *source,
                             const char *options, cl_program *program)
{
    char key[KEY_BYTES] = "";
    const char *given = options != NULL ? options : "";
    const bool cached = !device->caps.caches_programs && make_key(device, source, given, key);
    ncl_status status = NCL_OK;

    *program = cached ? load_cached(device, key, given) : NULL;
    if (*program != NULL) {
        return NCL_OK;
    }
    status = build_source(device, source, given, program);
    if (status == NCL_OK && cached) {
        store_binary(device, *program, key);
    }
    return status;
}

bool ncl_program_known(const struct ncl_device *device, const char *source, const char *options)
{
    char key[KEY_BYTES] = "";
    void *data = NULL;
    size_t bytes = 0;
    const bool known = make_key(device, source, options, key) &&
                       device->binaries.get(device->binaries.self, key, &data, &bytes) == NCL_OK;

    free(data);
    return known;
}

void ncl_program_note(const struct ncl_device *device, const char *source, const char *options)
{
    char key[KEY_BYTES] = "";

    if (device->caps.caches_programs && make_key(device, source, options, key)) {
        device->binaries.put(device->binaries.self, key, "1", 1);
    }
}

void ncl_program_release(const struct ncl_device *device, cl_program *program)
{
    if (*program != NULL) {
        device->cl->ReleaseProgram(*program);
        *program = NULL;
    }
}
