# A daemon of root's, that reads $FOLDER/passwd where others read /etc/passwd. BEN's number has a session bus.
set -eu
mount -t tmpfs none /run/user 2>/dev/null || { mkdir -p /run/user; mount -t tmpfs none /run/user; }
mount --bind "$FOLDER/passwd" /etc/passwd
mkdir "/run/user/$USER_ID"
chown "$USER_ID:$USER_ID" "/run/user/$USER_ID"
setpriv --reuid="$USER_ID" --regid="$USER_ID" --clear-groups --pdeathsig KILL dbus-daemon --session --nofork \
    --nopidfile --address="unix:path=/run/user/$USER_ID/bus" > /dev/null 2>&1 &
while [ ! -S "/run/user/$USER_ID/bus" ]; do sleep 0.05; done
exec "$FOLDER/forewarn-daemon" --config "$CONFIG"
