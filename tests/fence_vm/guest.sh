#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs inside the virtual machine, as a service of systemd, or as process 1 when there is none; says
# on the console what each limit does. What must be seen: run.sh.
exec >/dev/console 2>&1
export PATH=/usr/bin:/bin:/usr/sbin:/sbin
tocsin=/opt/tocsin/src/cli/tocsin
eater=/opt/tocsin/eater
group_files='cd /sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup) && grep -s "" cpu.max pids.max memory.max memory.swap.max io.max'

# step NAME OPTION... -- PROGRAM...
step()
{
        local name=$1
        shift
        echo "== $name"
        rm -rf /run/fence-events
        timeout 90 "$tocsin" run --dir /run/fence-dir --events /run/fence-events "$@"
        echo "$name: status $?"
        grep -o '"state":"firing","[^}]*"probe":"[a-z_]*"\|"biggest":"[^"]*"' /run/fence-events |
                grep -o '"probe":"[a-z_]*"\|"biggest":"[^"]*"' | sed "s/^/$name: /"
        find /sys/fs/cgroup -type d \( -name 'run-*.scope' -o -name 'tocsin-run-*' \) |
                sed "s/^/$name: left /"
}

as_user()
{
        echo "== $1"
        timeout 90 setpriv --reuid 1000 --regid 1000 --clear-groups env -i PATH="$PATH" "${@:2}"
        echo "$1: status $?"
}

if [[ $$ == 1 ]]; then
        mount -t proc proc /proc
        mount -t cgroup2 cgroup /sys/fs/cgroup
        mount -t tmpfs tmpfs /run
        echo "+memory +pids +cpu +io" >/sys/fs/cgroup/cgroup.subtree_control
fi
cd /opt || exit
step memory --inside --memory 64M -- "$eater" memory
step nearly --memory 64M -- "$eater" nearly
step pids --pids 20 -- "$eater" fork
step files --memory 64M --cpu 20% --pids 32 --io 20M -- bash -c "$group_files"
step spaces --memory 64M --no-network --read-only -- bash -c 'ls /sys/class/net; touch /etc/x'
step missing --memory 64M -- /no/such/program
as_user alone "$tocsin" run --memory 64M --pids 20 --dir /tmp/alone -- bash -c 'ulimit -d'
if [[ $$ == 1 ]]; then
        sync
        echo o >/proc/sysrq-trigger
        sleep 10
fi
useradd -m -u 1000 user
systemctl start user@1000
as_user user XDG_RUNTIME_DIR=/run/user/1000 "$tocsin" run --inside --memory 64M --pids 20 --io 10M \
        --dir /tmp/user -- "$eater" memory
systemctl poweroff --force --force
