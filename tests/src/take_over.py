# Tries to take over every process that works for the daemon, as another process of the same person can: by a copy of a
# descriptor (pidfd_getfd(2)) and by ptrace(2). Ends with its input; prints how many it tried and how many it took.
import ctypes, os, select, sys
libc = ctypes.CDLL(None, use_errno=True)
PIDFD_OPEN, PIDFD_GETFD, SEIZE = 434, 438, 0x4206
me, tried, taken = os.getpid(), set(), set()
def is_worker(pid):
    try: return b'\0worker\0' in open(f'/proc/{pid}/cmdline', 'rb').read()
    except OSError: return False
def take(pid):
    tried.add(pid)
    fd = libc.syscall(PIDFD_OPEN, pid, 0)
    if fd >= 0:
        copy = libc.syscall(PIDFD_GETFD, fd, 0, 0)
        os.close(fd)
        if copy >= 0: os.close(copy); taken.add(pid)
    # By a child: what it traces is let go with its end.
    child = os.fork()
    if not child: os._exit(libc.ptrace(SEIZE, pid, None, None) != 0)
    if os.waitpid(child, 0)[1] == 0: taken.add(pid)
print('begins', flush=True)
while not select.select([sys.stdin], [], [], 0)[0]:
    for name in os.listdir('/proc'):
        if name.isdigit() and int(name) != me and is_worker(name): take(int(name))
print(len(tried), len(taken), flush=True)
