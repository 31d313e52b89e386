#!/bin/sh
# What `cmake --install` gives can be used: through pkg-config and find_package, shared and static,
# from C and C++; the shared library exports the public header's functions and nothing else.
set -eu
cd "$(dirname "$0")/../.."
build=${NEXTCL_BUILD:-$PWD/build}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

cmake --install "$build" --prefix "$place/usr" >"$place/log"
[ -x "$place/usr/bin/nextcl" ] && [ -f "$place/usr/share/man/man1/nextcl.1" ]
PKG_CONFIG_PATH=$(dirname "$(find "$place/usr" -name nextcl.pc)")
export PKG_CONFIG_PATH
libraries=$(dirname "$PKG_CONFIG_PATH")

# The prefix is another than the build was configured for.
config() {
    pkg-config --define-variable=prefix="$place/usr" --define-variable=libdir="$libraries" \
        --define-variable=includedir="$place/usr/include" "$@" nextcl
}

cat >"$place/main.c" <<'C'
#include <nextcl.h>
#include <string.h>

int main(void)
{
    ncl_options options;

    ncl_options_init(&options);
    return strcmp(ncl_version(), VERSION) != 0 || options.struct_size != sizeof options;
}
C
version=$(config --modversion)
strict="-std=c11 -Wall -Wextra -Wpedantic -Werror"
# shellcheck disable=SC2046,SC2086 # flags are words
{
    cc $strict -DVERSION="\"$version\"" "$place/main.c" -o "$place/shared" $(config --cflags --libs)
    LD_LIBRARY_PATH="$libraries" "$place/shared"
    rm "$libraries"/libnextcl.so*
    cc $strict -DVERSION="\"$version\"" "$place/main.c" -o "$place/static" $(config --cflags) \
        $(config --static --libs)
    "$place/static"
}
cmake --install "$build" --prefix "$place/usr" >"$place/log"
if command -v c++ >/dev/null; then
    echo '#include <nextcl.h>' >"$place/header.cc"
    c++ -std=c++11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I "$place/usr/include" \
        "$place/header.cc"
fi

cat >"$place/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.25)
project(consumer C)
find_package(NextCL 0.1 REQUIRED)
add_compile_definitions(VERSION="${NextCL_VERSION}")
foreach(target nextcl nextcl_static)
  add_executable(use_${target} main.c)
  target_link_libraries(use_${target} NextCL::${target})
endforeach()
CMAKE
{
    cmake -S "$place" -B "$place/b" -DCMAKE_PREFIX_PATH="$place/usr" && cmake --build "$place/b"
} >"$place/log" 2>&1 || { cat "$place/log"; exit 1; }
"$place/b/use_nextcl"
"$place/b/use_nextcl_static"

sed -n 's/^NCL_API .*[ *]\(ncl_[a-z_0-9]*\)(.*/\1/p' include/nextcl.h | sort >"$place/declared"
nm -D --defined-only "$libraries/libnextcl.so" | awk '{print $3}' | sort >"$place/exported"
diff "$place/declared" "$place/exported" || { echo "declared (<) and exported (>) differ"; exit 1; }
