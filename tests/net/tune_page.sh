#!/bin/sh
# Does a page of tune fit into a browser's window, its table too? Pages have no scripts: a copy gets
# one that tells.
set -eu
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
    { echo "skipped: no chromium"; exit 77; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export NEXTCL_CACHE_DIR="$folder/cache"
"$NEXTCL_CLI" tune zoo:resnet18 --size 32 --budget 5s --quiet --report "$folder/page.html" >/dev/null
sed 's|</body>|<script>for (const e of [document.documentElement, ...document.querySelectorAll(\
".wide")]) document.title += " " + e.scrollWidth + "/" + e.clientWidth</script></body>|' \
    "$folder/page.html" >"$folder/told.html"
for width in 1200 1600; do
    title=$("$browser" --headless --no-sandbox --disable-gpu --user-data-dir="$folder/browser" \
        --window-size=$width,900 --dump-dom "file://$folder/told.html" 2>/dev/null |
        grep -o '<title>[^<]*')
    echo "$width: $title"
    case $title in *" "*/*" "*/*) ;; *) echo "the page did not tell"; exit 1 ;; esac
    for pair in $(echo "$title" | grep -o '[0-9]*/[0-9]*'); do
        [ "${pair%/*}" -le "${pair#*/}" ] || { echo "$width: $pair"; exit 1; }
    done
done
