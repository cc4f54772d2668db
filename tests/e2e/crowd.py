"""What a person does to a daemon that looks after others too. Says how often, when its input ends."""
import json, os, select, signal, socket, sys, threading, time

count = 0
over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()


def attend(path, read):
    s = socket.socket(socket.AF_UNIX)
    s.connect(path)
    s.sendall(b'{"user":null,"question":{"attend":{"medium":"desktop"}}}\n')
    s.setblocking(False)
    return s


def stop():
    """Stops each worker of one's own."""
    global count
    seen = set()
    while not over.is_set():
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    words = f.read().split(b"\0")
                if len(words) > 1 and words[1] == b"worker" and pid not in seen:
                    os.kill(int(pid), signal.SIGSTOP)
                    seen.add(pid)
                    count += 1
            except OSError:
                pass
        time.sleep(0.002)


def words(path, subject):
    """Says as much as is taken, about a notice of one's own."""
    global count
    minute = 0
    while not over.is_set():
        try:
            s = attend(path, True)
            while not over.is_set():
                minute = minute % 1000 + 1
                line = json.dumps({"snoozed": [subject, f"{minute}m"]}) + "\n" + '"reachable"\n'
                select.select([], [s], [], 1)
                s.send(line.encode())
                count += 2
                try:
                    s.recv(65536)
                except BlockingIOError:
                    pass
        except OSError:
            time.sleep(0.01)


def deaf(path):
    """Attends as often as one may, and reads nothing."""
    global count
    held = []
    while not over.is_set():
        try:
            held.append(attend(path, False))
            count += 1
        except OSError:
            pass
        if len(held) > 12:
            held.pop(0).close()
        time.sleep(0.01)


def hints(home):
    """Has one's home looked at all the time."""
    global count
    folder = os.path.join(home, ".local/share/applications")
    while not over.is_set():
        with open(os.path.join(folder, f"x{count % 50}.desktop"), "w") as f:
            f.write("[Desktop Entry]\nType=Application\nName=X\nExec=x\n")
        count += 1
        time.sleep(0.001)


print("begun", flush=True)
globals()[sys.argv[1]](*sys.argv[2:])
print(count, flush=True)
