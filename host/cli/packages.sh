# Sourced by demo.sh and tests/run.sh: the Debian packages NextCL needs, and how they get there.
# shellcheck shell=sh disable=SC2034

packages_build="build-essential cmake pkg-config ocl-icd-opencl-dev opencl-c-headers libnanopb-dev
libjansson-dev libsqlite3-dev libxxhash-dev libstb-dev libjpeg-dev libclblast-dev
pocl-opencl-icd"
packages_test="$packages_build check clang clang-format clang-tidy cppcheck python3"
# More OpenCL implementations to test on; nothing fails where they can't be had.
packages_devices="mesa-opencl-icd oclgrind"
# Compilers for GPUs that are not there; their tests say which they miss.
packages_static="clang-22 clang-15 libclc-15 rocm-device-libs intel-opencl-icd"

# Those of its arguments that are not installed.
missing_packages() {
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
            printf '%s ' "$package"
    done
}

# install_packages PACKAGE...: nothing to do where all are there, so a second run is offline.
# 2: they are missing and this user may not install them; the command is on stderr.
install_packages() {
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    if ! command -v apt-get >/dev/null; then
        echo "needs these packages (Debian's names): $missing" >&2
        return 2
    fi
    root=
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
            echo "packages are missing; as root: apt-get update && apt-get install -y $missing" >&2
            return 2
        fi
        root="sudo -n"
    fi
    echo "installing: $missing"
    # shellcheck disable=SC2086 # words are meant to split
    {
        $root apt-get update -qq || echo "apt-get update failed; trying with the old lists" >&2
        $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing
    }
}
