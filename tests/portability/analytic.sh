#!/bin/sh
# What tuning/ says of GPUs that nobody measured is what the library would reason today: the files
# are written anew and compared, byte for byte.
set -eu
cd "$(dirname "$0")/../.."
tool=${NEXTCL_BUILD:-$PWD/build}/tests/static_variants
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
mkdir "$place/new"
"$tool" --analytic "$place/new"
(cd "$place/new" && ls) >"$place/wanted"
(cd tuning && ls gpu-*.jsonl) >"$place/found"
failed=0
diff "$place/wanted" "$place/found" || failed=1
for file in "$place"/new/*.jsonl; do
    diff "tuning/$(basename "$file")" "$file" || failed=1
done
[ $failed -eq 0 ] || echo "update them with: $tool --analytic tuning"
exit $failed
