#include "plan/point.h"

#include <ctype.h>
#include <stdatomic.h>
#include <string.h>

bool ncl_point_legal(const struct ncl_point *point, const struct ncl_problem *p,
                     const struct ncl_caps *caps)
{
    return ncl_algo_usable(point->algo, p, caps) && ncl_algo_legal(point->algo, point->v, p, caps);
}

bool ncl_point_equal(const struct ncl_point *a, const struct ncl_point *b)
{
    return a->algo == b->algo && memcmp(a->v, b->v, sizeof a->v) == 0;
}

void ncl_point_params(const struct ncl_point *point, struct ncl_text *text)
{
    for (int i = 0; i < point->algo->tunable_count; i++)
        ncl_text_add(text, "%s%s=%d", i ? " " : "", point->algo->tunables[i].name, point->v[i]);
    if (!point->algo->tunable_count)
        ncl_text_add(text, "%s", "");
}

/* Index of the tunable that is `length` bytes of name; -1: none. */
static int find_tunable(const struct ncl_algo *algo, const char *name, size_t length)
{
    for (int i = 0; i < algo->tunable_count; i++)
        if (strlen(algo->tunables[i].name) == length &&
            memcmp(algo->tunables[i].name, name, length) == 0)
            return i;
    return -1;
}

/* Up to 9 digits, so that the number fits an int. NULL: there are none, or more. */
static const char *parse_number(const char *at, int *value)
{
    int digits = 0;

    *value = 0;
    for (; isdigit((unsigned char)*at) && digits <= 9; digits++)
        *value = digits < 9 ? *value * 10 + (*at++ - '0') : *value;
    return digits > 0 && digits <= 9 ? at : NULL;
}

/* "NAME=NUMBER" at *at, which moves past it and the blank that separates it from another. */
static bool parse_pair(const char **at, struct ncl_point *point, bool seen[NCL_MAX_TUNABLES])
{
    const char *equals = strchr(*at, '=');
    const int index = equals ? find_tunable(point->algo, *at, (size_t)(equals - *at)) : -1;

    if (index < 0 || seen[index])
        return false;
    seen[index] = true;
    *at = parse_number(equals + 1, &point->v[index]);
    if (!*at || (**at && **at != ' '))
        return false;
    if (**at == ' ' && !*++*at)
        return false;
    return true;
}

bool ncl_point_parse(const char *algorithm, const char *params, struct ncl_point *point)
{
    bool seen[NCL_MAX_TUNABLES] = {false};
    const char *at = params;
    int count = 0;

    *point = (struct ncl_point){.algo = ncl_algo_find(algorithm)};
    if (!point->algo)
        return false;
    for (; *at; count++)
        if (!parse_pair(&at, point, seen))
            return false;
    return count == point->algo->tunable_count;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* Bytes of the comment, the white space or the joined line end that begins here; 0: none does. */
static size_t gap_length(const char *at)
{
    const char *end = NULL;

    if (at[0] == '/' && at[1] == '/')
        return strcspn(at, "\n");
    if (at[0] == '/' && at[1] == '*') {
        end = strstr(at + 2, "*/");
        return end ? (size_t)(end + 2 - at) : strlen(at);
    }
    if (at[0] == '\\' && at[1] == '\n')
        return 2;
    return at[0] == ' ' || at[0] == '\t' || at[0] == '\r' || at[0] == '\n';
}

void ncl_kernel_tokens(const char *source, struct ncl_text *text)
{
    bool directive = false, gap = false, line = true; /* line: nothing of this one yet */
    char last = 0;

    for (const char *at = source; *at;) {
        const size_t skip = gap_length(at);
        const size_t run =
            skip ? skip : 1 + strcspn(at + 1, " \t\r\n/\\"); /* up to where one may be */

        if (skip && *at == '\n') {
            if (directive)
                ncl_text_append(text, "\n", 1), last = '\n';
            gap = line = true, directive = false;
        } else if (skip) {
            gap = true;
        } else {
            directive |= line && *at == '#';
            if (gap && last && last != '\n' && (directive || is_word(last) == is_word(*at)))
                ncl_text_append(text, directive && line ? "\n" : " ", 1);
            ncl_text_append(text, at, run);
            last = at[run - 1], gap = line = false;
        }
        at += run;
    }
}

static struct ncl_hash hash_kernel(const struct ncl_algo *algo)
{
    const char *source = algo->source ? ncl_algo_source(algo->source) : NULL;
    struct ncl_hash hash = {0};
    struct ncl_text all = {0};

    ncl_text_add(&all, "%s version %d order %d library %s", algo->name, algo->version,
                 NCL_ORDER_VERSION, algo->library ? algo->library : "-");
    for (int i = 0; i < algo->tunable_count; i++)
        ncl_text_add(&all, " %s", algo->tunables[i].name);
    ncl_text_add(&all, "\n");
    if (source)
        ncl_kernel_tokens(source, &all);
    if (!all.failed)
        hash = ncl_hash_bytes(all.data, all.length);
    ncl_text_free(&all);
    return hash;
}

/* Hashes of the registered algorithms, which do not change: sessions ask for one per layer and
 * record. Threads that meet here write the same numbers. */
#define KEPT 64
static struct {
    atomic_bool known;
    atomic_uint_least64_t low, high;
} kept[KEPT];

static struct ncl_hash find_hash(const struct ncl_algo *algo)
{
    struct ncl_hash hash;
    size_t i = 0;

    while (i < ncl_algo_count && ncl_algos[i] != algo)
        i++;
    if (i >= ncl_algo_count || i >= KEPT)
        return hash_kernel(algo);
    if (atomic_load_explicit(&kept[i].known, memory_order_acquire))
        return (struct ncl_hash){atomic_load(&kept[i].low), atomic_load(&kept[i].high)};
    hash = hash_kernel(algo);
    atomic_store(&kept[i].low, hash.low);
    atomic_store(&kept[i].high, hash.high);
    atomic_store_explicit(&kept[i].known, hash.low || hash.high, memory_order_release);
    return hash;
}

void ncl_point_kernel_hash(const struct ncl_algo *algo, char text[NCL_HASH_TEXT])
{
    const struct ncl_hash hash = find_hash(algo);

    text[0] = 0;
    if (hash.low || hash.high)
        ncl_hash_text(hash, text);
}

void ncl_kernels_hash(char text[NCL_HASH_TEXT])
{
    struct ncl_text all = {0};

    for (size_t i = 0; i < ncl_algo_count; i++) {
        char hash[NCL_HASH_TEXT];

        ncl_point_kernel_hash(ncl_algos[i], hash);
        ncl_text_add(&all, "%s ", hash);
    }
    ncl_hash_text(ncl_hash_bytes(all.data ? all.data : "", all.length), text);
    ncl_text_free(&all);
}
