#!/bin/sh
# Every lint rule can fail: each planted violation below must be found, and a clean tree must pass.
set -u
lint=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$lint/../.." && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failed=0

# A small tree that breaks no rule.
clean_tree() {
    rm -rf "${tree:?}"/*
    mkdir -p "$tree/host/base" "$tree/host/cl" "$tree/host/algo" "$tree/host/cli" "$tree/include" \
        "$tree/cl/conv" "$tree/cl/common" "$tree/tests/algo"
    cp "$root/.clang-format" "$root/.clang-tidy" "$tree"
    printf '#include <stddef.h>\n#define NCL_API\nNCL_API int ncl_zero(void);\n' \
        >"$tree/include/nextcl.h"
    printf '#include "nextcl.h"\n\nint ncl_zero(void)\n{\n    return 0;\n}\n' >"$tree/host/base/a.c"
    printf 'int ncl_b(void);\n' >"$tree/host/cl/b.h"
    printf '#include "nextcl.h"\n\nint main(void)\n{\n    return ncl_zero();\n}\n' \
        >"$tree/host/cli/main.c"
    printf 'const int ncl_algo_a = 1;\n' >"$tree/host/algo/a.c"
    printf 'int main(void)\n{\n    return 0;\n}\n' >"$tree/tests/algo/a.c"
    printf '%s\n' '__kernel void a(__global float *x, int n) {' \
        '  x[(n + 3) / 4] = fma(x[0], x[1], x[max(n / 2, 1)]);' '}' >"$tree/cl/conv/a.cl"
    cat >"$tree/compile_commands.json" <<JSON
[{"directory": "$tree", "file": "host/base/a.c", "command": "cc -I include -I host -c host/base/a.c"},
 {"directory": "$tree", "file": "host/algo/a.c", "command": "cc -c host/algo/a.c"},
 {"directory": "$tree", "file": "host/cli/main.c", "command": "cc -I include -c host/cli/main.c"}]
JSON
}

run_rule() {
    NEXTCL_BUILD="$tree" sh "$lint/$1.sh" "$tree" 2>&1
}

# must_find RULE PATTERN WHAT: the tree as planted fails the rule, with PATTERN in its output.
must_find() {
    output=$(run_rule "$1")
    status=$?
    if [ $status -eq 77 ]; then
        echo "$output"
    elif [ $status -eq 0 ] || ! printf '%s' "$output" | grep -q -e "$2"; then
        echo "not found by $1: $3; status $status, output: $output"
        failed=1
    fi
    clean_tree
}

# Adds a function of the lines on standard input.
plant() {
    {
        printf '\nint ncl_planted(int n);\nint ncl_planted(int n)\n{\n'
        cat
        printf '    return n;\n}\n'
    } >>"$tree/host/base/a.c"
}

plant_kernel() {
    printf '%s\n' "float planted(float a, float b, int n) { return $1; }" >>"$tree/cl/conv/a.cl"
}

clean_tree
for rule in rules format tidy cppcheck opencl; do
    output=$(run_rule $rule)
    case $? in
    0 | 77) ;;
    *) echo "$rule fails a clean tree: $output"; failed=1 ;;
    esac
done

echo '#include "cl/b.h"' >>"$tree/host/base/a.c"
must_find rules 'lower floors only' "an upward include"
echo '#include "base/a.h"' >>"$tree/host/cli/main.c"
must_find rules 'sees only nextcl.h' "the command line including an inside header"
echo '#include "b.h"' >>"$tree/host/base/a.c"
must_find rules 'include by path' "an include without its floor"

seq 60 | sed 's/.*/    n += 1;/' | plant
must_find rules 'a function of' "a long function"
printf '    if (n)\n        while (n)\n            for (;;)\n                if (n > 2)\n%s\n' \
    '                    return 1;' | plant
must_find rules 'nested 4 deep' "deep nesting"
seq 500 | sed 's/.*/int ncl_n&;/' >>"$tree/host/base/a.c"
must_find rules 'lines: at most 500' "a long .c file"
seq 300 | sed 's/.*/#define N&/' >>"$tree/cl/conv/a.cl"
must_find rules 'lines: at most 300' "a long kernel file"
seq 600 | sed 's/.*/#define N&/' >>"$tree/include/nextcl.h"
must_find rules 'lines: at most 600' "a long public header"
seq 45 | sed 's/.*/NCL_API int ncl_f&(void);/' >>"$tree/include/nextcl.h"
must_find rules 'public functions' "a wide public header"
printf '/* %0100d */\n' 0 >>"$tree/host/base/a.c"
must_find rules 'columns' "a long line"

printf '/* %s */\n' "TO""DO" >>"$tree/host/base/a.c"
must_find rules 'unfinished' "a mark of unfinished work"
printf '/* %s */\n' "/ro""ot/models" >>"$tree/host/base/a.c"
must_find rules 'one machine' "a path of one machine"
for call in 'printf("%d", n)' 'exit(n)' 'abort()' 'assert(n)'; do
    echo "    $call;" | plant
    must_find rules 'does not print or exit' "$call in the library"
done

for expression in 'fmax(a, b)' 'fmin(a, b)' 'clamp(a, b, a)' 'native_exp(a)' 'half_sqrt(a)' \
    'mad(a, b, a)' 'sqrt(a)' 'exp(a)' 'tanh(a)' 'pow(a, b)'; do
    plant_kernel "$expression"
    must_find rules 'not bit-portable' "$expression in a kernel"
done
for expression in 'a / b' '1.0f / n' '(a + 1) / n' '(float)n / 3'; do
    plant_kernel "$expression"
    must_find rules 'division of floats' "$expression in a kernel"
done
plant_kernel 'max(a, b)'
must_find rules 'max and min of floats' "max of floats in a kernel"

rm "$tree/tests/algo/a.c"
must_find rules 'tests/algo/a.c is missing' "an algorithm without a test"
rm "$tree/cl/conv/a.cl"
must_find rules 'a.cl is missing' "an algorithm without a kernel"
mv "$tree/cl/conv/a.cl" "$tree/cl/conv/c.cl"
must_find rules 'host/algo/c.c is missing' "a kernel without an algorithm"

echo 'int   ncl_spaced ( void ) ;' >>"$tree/host/base/a.c"
must_find format 'clang-formatted' "a badly formatted line"
echo '    n = sizeof(char) == 1 && n == n;' | plant
must_find tidy 'misc-redundant-expression' "a comparison with itself"
printf '    int *p = 0;\n    if (n)\n        n = *p;\n' | plant
must_find tidy 'NullDereference' "a null dereference"
printf '    int a[2] = {0, 0};\n    n = a[2];\n' | plant
must_find cppcheck 'arrayIndexOutOfBounds' "an index out of bounds"
plant_kernel 'undeclared_name'
must_find opencl 'undeclared_name' "a kernel that does not compile"
echo '#if __OPENCL_C_VERSION__ > 120' >>"$tree/cl/conv/a.cl"
must_find opencl 'unterminated' "an unbalanced conditional"

[ $failed -eq 0 ] && echo "every planted violation was found"
exit $failed
