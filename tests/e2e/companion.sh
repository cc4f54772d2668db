# A person with a session bus and no companion, and a daemon of root's that was started on a terminal, with a file of root's
# open. Prints what the companion has of that: its terminal, where its errors go, its groups, and descriptors of others'.
set -eu
mount -t tmpfs none /run/user 2>/dev/null || { mkdir -p /run/user; mount -t tmpfs none /run/user; }
sed '$a ben:x:'"$USER_ID:$USER_ID"'::/nonexistent:/bin/sh' /etc/passwd > "$FOLDER/passwd"
mount --bind "$FOLDER/passwd" /etc/passwd
mkdir "/run/user/$USER_ID"
chown "$USER_ID:$USER_ID" "/run/user/$USER_ID"
setpriv --reuid="$USER_ID" --regid="$USER_ID" --clear-groups dbus-daemon --session --nofork --nopidfile \
    --address="unix:path=/run/user/$USER_ID/bus" > /dev/null 2>&1 &
bus=$!
while [ ! -S "/run/user/$USER_ID/bus" ]; do sleep 0.05; done
# A group of a file that the person may choose is no group of theirs.
chgrp 27 "/run/user/$USER_ID/bus"
exec 9< "$FOLDER/secret"
script --quiet --return --command "$FOLDER/forewarn-daemon --config $CONFIG" /dev/null > /dev/null 2>&1 < /dev/null &
daemon=$!
for _ in $(seq 200); do
    companion=$(pgrep --uid "$USER_ID" --full 'session$' | head -n 1)
    [ -z "$companion" ] || break
    sleep 0.1
done
sleep 1
ps -o tty= -p "$companion"
readlink "/proc/$companion/fd/2"
awk '/^Gid|^Groups/ { print $1, $2, $3 }' "/proc/$companion/status"
ls -l "/proc/$companion/fd" | grep -c -e secret -e pts || true
kill "$daemon" "$bus" "$companion"
wait
