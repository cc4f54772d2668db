# /etc/profile.d/forewarn-login.sh: who logs in at a terminal is told there what waits for them. (What pam_motd runs does
# not know who logs in.) It holds no login up for more than two seconds, and fails none.
if [ -t 1 ] && [ -x /usr/bin/forewarn ]; then
    /usr/bin/forewarn greet 2>/dev/null || true
fi
