# SPDX-License-Identifier: Apache-2.0
"""Programs that nobody here wrote, each with a load and a question to which it has one answer.

A server here is a class: start() the process, answer() gives text that depends on all it was asked and
on nothing else, load(seconds) gives (operations, seconds) and raises where the tool saw an error.

Everything listens in its own directory or on loopback, runs as nobody when we are root, and ends with
us."""

import ctypes
import glob
import hashlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time

DEADLINE_S = 60
NOBODY = 65534


class Missing(Exception):
    """A program that is not here, and where it is to be had."""


class Wrong(Exception):
    """What a load tool complained about."""


# Where ./test unpacks packages that would start a server if they were installed.
TREE = pathlib.Path(__file__).resolve().parents[2] / "build-tools" / "servers"
PLACES = ("usr/bin", "usr/sbin", "usr/lib/postgresql/15/bin")


def must_be_open_to_all(path):
    """If we are root, others are to run it: nobody must be able to get there."""
    closed = [str(part) for part in pathlib.Path(path).resolve().parents
              if not part.stat().st_mode & stat.S_IXOTH]
    if os.geteuid() == 0 and closed:
        raise Missing(f"{path} cannot be run by others than root: {closed[0]} is closed to them")


def find(name, package):
    places = [str(root / part) for root in (pathlib.Path("/"), TREE) for part in PLACES]
    path = shutil.which(name) or shutil.which(name, path=":".join(places))
    if not path:
        raise Missing(f"{name} is not here; it is in {package}")
    must_be_open_to_all(path)
    return path


def digest(text):
    return hashlib.sha256(text if isinstance(text, bytes) else text.encode()).hexdigest()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def as_user(*command):
    """Most of these refuse to be root, or should."""
    if os.geteuid() != 0:
        return list(command)
    return [find("setpriv", "util-linux"), f"--reuid={NOBODY}", f"--regid={NOBODY}",
            "--clear-groups", *command]


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG; setpriv keeps it for the same user


def run(*command, stdin=None, seconds=0):
    done = subprocess.run(as_user(*command), input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=DEADLINE_S + seconds, check=False,
                          encoding="utf-8", errors="replace", env={**os.environ, "LC_ALL": "C"})
    if done.returncode:
        raise Wrong(f"{command[0]} ended with {done.returncode}: {done.stdout[-2000:]}")
    return done.stdout


class Server:
    """One process, plain or under `tocsin run --inside` if `tocsin` is given."""
    stdin = subprocess.DEVNULL
    stdout = subprocess.DEVNULL

    def __init__(self, tocsin=None):
        self.tocsin = tocsin
        must_be_open_to_all(tocsin or "/")
        self.place = tempfile.mkdtemp(prefix="tocsin-servers-")
        self.base = tempfile.mkdtemp(prefix="tocsin-servers-", dir="/dev/shm")
        if os.geteuid() == 0:
            for path in (self.place, self.base):
                os.chown(path, NOBODY, NOBODY)
        self.events_path = os.path.join(self.base, "events.jsonl")
        self.port = free_port()
        self.process = None

    def path(self, name):
        return os.path.join(self.place, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(name), 0o644)
        return self.path(name)

    def prepare(self):
        """What has to be there before; outside of what is watched."""

    def __enter__(self):
        try:
            self.prepare()
            command = self.command()
            if self.tocsin:
                command = [self.tocsin, "run", "--inside", "--dir", self.base, "--events",
                           self.events_path, "--", *command]
            with open(self.path("stderr"), "wb") as errors:
                self.process = subprocess.Popen(
                    as_user(*command), stdin=self.stdin, stdout=self.stdout, stderr=errors,
                    cwd=self.place, preexec_fn=die_with_parent,
                    env={**os.environ, "LC_ALL": "C", "MALLOC_ARENA_MAX": "8"})
            self.until(self.is_ready)
        except BaseException:
            self.__exit__()
            raise
        return self

    def until(self, what):
        end = time.monotonic() + DEADLINE_S
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if what():
                    return
            except (OSError, Wrong, http.client.HTTPException):
                pass
            time.sleep(0.05)
        raise Wrong(f"it did not come to that: {self.errors()}")

    def is_ready(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=5):
            return True

    def errors(self):
        with open(self.path("stderr"), encoding="utf-8", errors="replace") as file:
            return file.read()[-4000:]

    def events(self):
        try:
            with open(self.events_path, encoding="utf-8") as file:
                return [json.loads(line) for line in file.read().split("\n")[:-1] if line]
        except FileNotFoundError:
            return []

    def alerts(self):
        return [event for event in self.events() if event["type"] in ("alert", "crash")]

    def tree(self):
        """Processes of the server: not the watcher."""
        found = [self.process.pid]
        for pid in found:
            for path in glob.glob(f"/proc/{pid}/task/*/children"):
                try:
                    with open(path, encoding="ascii") as file:
                        found += [int(word) for word in file.read().split()]
                except (FileNotFoundError, ProcessLookupError):
                    pass
        return found[1:] if self.tocsin else found

    @staticmethod
    def cpu_seconds_of(pid):
        """And of children that it has waited for."""
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                words = file.read().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            return 0
        return sum(int(word) for word in words[11:15]) / os.sysconf("SC_CLK_TCK")

    def cpu_seconds(self):
        return sum(self.cpu_seconds_of(pid) for pid in self.tree())

    def stop(self):
        """Asks it to end, and gives its status."""
        self.process.terminate()
        return self.process.wait(timeout=DEADLINE_S)

    def __exit__(self, *unused):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=DEADLINE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for path in (self.place, self.base):
            shutil.rmtree(path, ignore_errors=True)


class Redis(Server):
    name, package = "redis-server", "redis-server"

    def command(self):
        return [find("redis-server", "redis-server"), "--port", str(self.port), "--bind", "127.0.0.1",
                "--save", "", "--appendonly", "no", "--enable-debug-command", "yes", "--dir", self.place]

    def cli(self, *words, stdin=None):
        return run(find("redis-cli", "redis-tools"), "-p", str(self.port), *words, stdin=stdin)

    def is_ready(self):
        return self.cli("ping") == "PONG\n"

    def answer(self):
        lines = ["flushall"]
        for i in range(3000):
            lines += [f"set key:{i} {'v' * (i % 200)}{i}", f"hset h:{i % 50} f{i} {i * i}",
                      f"zadd z:{i % 20} {i * 7919 % 1000} m{i}", f"rpush l:{i % 10} {i}"]
        lines += [f"zrange z:{i} 0 -1" for i in range(20)] + [f"lrange l:{i} 0 -1" for i in range(10)]
        lines += ["del key:1", "append key:2 xyz", "bgsave", "debug digest", "flushall"]
        said = self.cli(stdin="\n".join(lines))
        self.until(lambda: "rdb_bgsave_in_progress:0" in self.cli("info", "persistence"))
        return digest(said)

    def load(self, seconds):
        tests = "set,get,incr,lpush,rpop,sadd,hset,zadd,lrange_100"
        begin, count = time.monotonic(), 0
        while time.monotonic() < begin + seconds:
            said = run(find("redis-benchmark", "redis-tools"), "-p", str(self.port), "-n", "10000",
                       "-c", "20", "-d", "64", "-r", "10000", "-t", tests, "-q", "--csv")
            # lrange is preceded by a filling of its list.
            done = [line for line in said.splitlines() if re.match(r'"[A-Z]+.*",', line)]
            if len(done) != 10 or "rror" in said:
                raise Wrong(f"redis-benchmark said: {said}")
            count += 10000 * len(done)
        return count, time.monotonic() - begin


class Memcached(Server):
    name, package = "memcached", "memcached"
    mix = "key\n16 32 1\nvalue\n64 2048 1\ncmd\n0 0.2\n1 0.8\n"  # one write to four reads

    def prepare(self):
        self.write("mix", self.mix)

    def command(self):
        return [find("memcached", "memcached"), "-l", "127.0.0.1", "-p", str(self.port), "-U", "0",
                "-t", "2", "-m", "64", "-u", "nobody" if os.geteuid() == 0 else "root"]

    def answer(self):
        """A thousand items of growing size, written and read back."""
        said = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE_S) as link:
            stream = link.makefile("rwb")
            for i in range(1000):
                value = f"{i}:".encode() * (i % 300 + 1)
                stream.write(b"set answer%d 0 0 %d\r\n%s\r\nget answer%d\r\n"
                             % (i, len(value), value, i))
                stream.flush()
                said += stream.readline()  # STORED
                head = stream.readline()
                said += head + stream.read(int(head.split()[3]) + 2) + stream.readline()
        return digest(said)

    def load(self, seconds):
        said = run(find("memcaslap", "libmemcached-tools"), "-s", f"127.0.0.1:{self.port}", "-T", "1",
                   "-c", "16", "-t", f"{seconds}s", "-F", self.path("mix"), "-v", "0.1",
                   seconds=seconds)
        found = re.search(r"Run time: ([\d.]+)s Ops: (\d+)", said)
        broken = re.search(r"verify_failed: (\d+)", said)
        if not found or (broken and int(broken.group(1))):
            raise Wrong(f"memaslap said: {said}")
        return int(found.group(2)), float(found.group(1))


class Nginx(Server):
    name, package = "nginx", "nginx"
    config = """
daemon off; master_process on; worker_processes 2; pid PLACE/pid; error_log PLACE/error.log warn;
events { worker_connections 256; }
http {
    access_log PLACE/access.log; default_type text/plain; sendfile on; keepalive_requests 1000;
    gzip on; gzip_types text/plain; gzip_min_length 256;
    client_body_temp_path PLACE/body; proxy_temp_path PLACE/proxy; fastcgi_temp_path PLACE/fastcgi;
    uwsgi_temp_path PLACE/uwsgi; scgi_temp_path PLACE/scgi;
    server { listen 127.0.0.1:PORT; root PLACE/www;
             location /again/ { proxy_pass http://127.0.0.1:PORT/; } }
}
"""

    def prepare(self):
        os.mkdir(self.path("www"))
        os.chmod(self.path("www"), 0o755)
        for name, count in (("small", 40), ("middle", 800), ("large", 40000)):
            self.write(f"www/{name}", "".join(f"line {i} of {name}\n" for i in range(count)))
        self.write("nginx.conf", self.config.replace("PLACE", self.place)
                   .replace("PORT", str(self.port)))

    def command(self):
        return [find("nginx", "nginx"), "-p", self.place, "-c", self.path("nginx.conf"),
                "-e", self.path("error.log")]

    def answer(self):
        said = b""
        for path in ("/small", "/middle", "/large", "/again/middle", "/nothing"):
            for encoding in ("identity", "gzip"):
                link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
                link.request("GET", path, headers={"Accept-Encoding": encoding})
                answer = link.getresponse()
                said += b"%d %s\n" % (answer.status, digest(answer.read()).encode())
                link.close()
        return digest(said)

    def load(self, seconds):
        total, took = 0, 0.0
        paths = ("small", "middle", "again/middle")
        for path in paths:
            share = max(1, seconds // len(paths))
            said = run(find("wrk", "wrk"), "-t", "1", "-c", "24", "-d", f"{share}s", "-H",
                       "Accept-Encoding: gzip", f"http://127.0.0.1:{self.port}/{path}",
                       seconds=seconds)
            found = re.search(r"(\d+) requests in ([\d.]+)s", said)
            if not found or "Socket errors" in said or "Non-2xx" in said:
                raise Wrong(f"wrk said: {said}")
            total, took = total + int(found.group(1)), took + float(found.group(2))
        return total, took


class Sqlite(Server):
    """The shell: no server, but a process that works on what it is sent, for as long as it is sent."""
    name, package = "sqlite3", "sqlite3"
    stdin = subprocess.PIPE
    stdout = subprocess.PIPE
    script = """
create table t{n}(a integer primary key, b integer, c text);
begin;
with recursive s(i) as (select 1 union all select i + 1 from s where i < 8000)
insert into t{n} select i, i * 7919 % 10007, printf('%d is a number', i * 31 % 997) from s;
commit;
create index b{n} on t{n}(b);
create index c{n} on t{n}(c, b);
select count(*), sum(b), avg(length(c)) from t{n} where b between 100 and 5000;
select c, count(*), max(b) from t{n} group by c order by 2 desc, 1 limit 10;
select count(*) from t{n} x join t{n} y on y.b = x.b + 1 where x.c > '5';
update t{n} set c = upper(c) || b where a % 7 = 0;
select count(*) from t{n} where c like '%9%' and c glob '*IS*';
delete from t{n} where b % 3 = 0;
select group_concat(c, '-') from (select c from t{n} order by b, a limit 50);
pragma integrity_check;
drop table t{n};
select 'end of the script';
"""

    def command(self):
        return [find("sqlite3", "sqlite3"), "-batch", "-cmd", "pragma synchronous = off;",
                self.path("db")]

    def is_ready(self):
        return self.once()

    def once(self):
        self.process.stdin.write(self.script.replace("{n}", "1").encode())
        self.process.stdin.flush()
        lines = []
        while True:
            line = self.process.stdout.readline()
            if not line or b"rror" in line:
                raise Wrong(f"the shell said {line}: {self.errors()}")
            lines.append(line)
            if line == b"end of the script\n":
                return b"".join(lines)

    def answer(self):
        return digest(self.once())

    def stop(self):
        self.process.stdin.close()
        return self.process.wait(timeout=DEADLINE_S)

    def load(self, seconds):
        begin, count = time.monotonic(), 0
        while time.monotonic() < begin + seconds:
            self.once()
            count += 1
        return count, time.monotonic() - begin


class Postgres(Server):
    name, package = "postgresql", "postgresql"

    def prepare(self):
        run(find("initdb", "postgresql"), "-D", self.path("data"), "-U", "tocsin", "-A", "trust",
            "--no-sync", "-E", "UTF8", "--locale=C")

    def command(self):
        settings = {"listen_addresses": "", "unix_socket_directories": self.place, "fsync": "off",
                    "synchronous_commit": "off", "shared_buffers": "32MB", "jit": "off",
                    "max_wal_size": "256MB", "autovacuum_naptime": "5s"}
        return [find("postgres", "postgresql"), "-D", self.path("data"),
                *(word for key, value in settings.items() for word in ("-c", f"{key}={value}"))]

    def psql(self, text):
        return run(find("psql", "postgresql-client"), "-h", self.place, "-U", "tocsin", "-d", "postgres",
                   "-XAtq", "-v", "ON_ERROR_STOP=1", stdin=text)

    def bench(self, *options, seconds=0):
        return run(find("pgbench", "postgresql"), "-h", self.place, "-U", "tocsin", *options,
                   "postgres", seconds=seconds)

    def is_ready(self):
        # Not by trying to connect: it logs an error of everybody who comes too early.
        with open(self.path("data/postmaster.pid"), encoding="utf-8") as file:
            if file.read().split("\n")[7:8] != ["ready   "]:
                return False
        self.bench("-i", "-s", "2", "-q")
        return True

    def answer(self):
        """Also with a connection, which is a process, for each transaction."""
        self.bench("-n", "-C", "-c", "2", "-t", "10", "-S")
        return digest(self.psql("""
create table answer as select i, i * 7919 % 10007 as b, md5(i::text) as c from generate_series(1, 20000) i;
create index on answer(b);
create index on answer using hash(c);
select count(*), sum(b), min(c), max(c) from answer where b between 100 and 5000;
select left(c, 2), count(*), sum(b) from answer group by 1 order by 2 desc, 1 limit 20;
select count(*) from answer x join answer y on y.b = x.b + 1 where x.c > '8';
update answer set c = upper(c) where i % 7 = 0;
select string_agg(c, '-' order by b, i) from answer where i < 100;
do $$ begin raise exception 'undone'; exception when others then null; end $$;
select jsonb_agg(jsonb_build_object('i', i, 'c', c) order by i) from answer where i < 50;
drop table answer;
"""))

    def load(self, seconds):
        said = self.bench("-n", "-c", "4", "-j", "1", "-M", "prepared", "-T", str(seconds),
                          seconds=seconds)
        done = re.search(r"transactions actually processed: (\d+)", said)
        failed = re.search(r"failed transactions: (\d+)", said)
        rate = re.search(r"tps = ([\d.]+)", said)
        if not done or not rate or (failed and int(failed.group(1))):
            raise Wrong(f"pgbench said: {said}")
        return int(done.group(1)), int(done.group(1)) / float(rate.group(1))

    def rest(self):
        """A vacuum that is cut short by the end is an error in the log, and that rings."""
        self.psql("alter system set autovacuum = off;\nselect pg_reload_conf();")
        self.until(lambda: self.psql("select count(*) from pg_stat_activity "
                                     "where backend_type = 'autovacuum worker';") == "0\n")

    def has_clients(self):
        """Their processes end some time after they have gone; to be ended instead is an error in the log."""
        return any(b" [local] " in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes() for pid in self.tree())

    def stop(self):
        """TERM waits for clients; a killed session of a test would keep it up."""
        self.rest()
        self.until(lambda: not self.has_clients())
        for pid in self.tree()[:1]:
            os.kill(pid, signal.SIGINT)
        return self.process.wait(timeout=DEADLINE_S)


SERVERS = [Redis, Nginx, Memcached, Sqlite, Postgres]
