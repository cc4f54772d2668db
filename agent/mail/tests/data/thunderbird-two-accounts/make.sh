#!/bin/sh
# Makes this folder's profile again, by running the real Thunderbird without a network.
# Needs root: apt-get install --no-install-recommends thunderbird xvfb xauth
# Writes /home/me, which must not exist, and for the duration two files below /usr/lib/thunderbird.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
home=/home/me
lib=/usr/lib/thunderbird
test ! -e "$home" || { echo "$home exists: move it away first" >&2; exit 1; }

clean() {
    rm -f "$lib/forewarn.cfg" "$lib/defaults/pref/forewarn-autoconfig.js"
    rm -rf "$home"
}
trap clean EXIT
mkdir -m 700 "$home"
cp "$here/autoconfig.cfg" "$lib/forewarn.cfg"
cat >"$lib/defaults/pref/forewarn-autoconfig.js" <<'JS'
// Read by Thunderbird at start.
pref("general.config.filename", "forewarn.cfg");
pref("general.config.obscure_value", 0);
pref("general.config.sandbox_enabled", false);
JS

env -i PATH=/usr/bin:/bin HOME="$home" LANG=C.UTF-8 TZ=UTC MOZ_HEADLESS_WIDTH=800 \
    unshare --net timeout 120 xvfb-run -a thunderbird

profile=$(dirname "$(find "$home/.thunderbird" -name made.txt)")
test "$(cat "$profile/made.txt")" = ok || { cat "$profile/made.txt" >&2; exit 1; }

name=$(basename "$profile")
rm -rf "$here"/*.default*
mkdir -p "$here/$name/Mail/Local Folders"
cp "$home/.thunderbird/profiles.ini" "$home/.thunderbird/installs.ini" "$here/"
cp "$profile/prefs.js" "$profile/logins.json" "$profile/key4.db" "$here/$name/"
for file in "Unsent Messages" "Unsent Messages.msf"; do
    cp "$profile/Mail/Local Folders/$file" "$here/$name/Mail/Local Folders/"
done
thunderbird --version >"$here/version.txt"
du -sk "$here"
