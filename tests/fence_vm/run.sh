#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The fence where systemd is process 1, and with cgroup v2 alone: in a virtual machine, emulated, so
# that it can be tried anywhere. Some minutes; not part of ./test.
#
# usage: tests/fence_vm/run.sh BUILD FOLDER
#
# As root, with the packages debootstrap, qemu-system-x86, e2fsprogs. FOLDER (2.5 GB) keeps the
# Debian that is installed into it once. The last line is "N passed, N failed".
set -eu

build=$(realpath -- "$1")
folder=$(realpath -m -- "$2")
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=$folder/root
packages=systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,initramfs-tools,linux-image-amd64
packages+=,bubblewrap,procps,libcurl4,libjansson4,libsqlite3-0,libdw1,libyaml-0-2,libseccomp2,libssl3
passed=0 failed=0

make_root()
{
        mkdir -p "$folder"
        debootstrap --variant=minbase --include="$packages" bookworm "$root.new" >"$folder/debootstrap.log"
        mv "$root.new" "$root"
        echo "/dev/vda / ext4 rw 0 1" >"$root/etc/fstab"
        printf '[Unit]\nAfter=multi-user.target\n[Service]\nType=oneshot\nExecStart=/opt/guest.sh\n%s\n' \
                $'[Install]\nWantedBy=multi-user.target' >"$root/etc/systemd/system/fence.service"
        mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
        ln -sf ../fence.service "$root/etc/systemd/system/multi-user.target.wants/"
}

put_tocsin()
{
        mkdir -p "$root/opt/tocsin/src/cli" "$root/opt/tocsin/src/inside"
        cp "$here/guest.sh" "$root/opt/"
        cp "$build/src/cli/tocsin" "$root/opt/tocsin/src/cli/"
        cp "$build/src/inside/libtocsin-inside.so.0" "$root/opt/tocsin/src/inside/"
        gcc -std=gnu17 -O2 -I"$here/../../include" -o "$root/opt/tocsin/eater" "$here/eater.c" \
                "$build/src/probe/libtocsin.a" -pthread
}

# boot NAME [KERNEL-ARGUMENT]; what it said is in FOLDER/NAME.log
boot()
{
        local disk=$folder/disk.img

        rm -f "$disk"
        mke2fs -q -t ext4 -d "$root" "$disk" 1600M
        timeout 600 qemu-system-x86_64 -M q35 -cpu max -m 1024 -nographic -no-reboot -nic none \
                -kernel "$root"/boot/vmlinuz-* -initrd "$root"/boot/initrd.img-* \
                -drive file="$disk",if=virtio,format=raw \
                -append "root=/dev/vda rw console=ttyS0 quiet ${2-}" </dev/null >"$folder/$1.log" 2>&1
        rm -f "$disk"
}

# sees NAME PATTERN; not NAME PATTERN
sees()
{
        if grep -qaE -- "$2" "$folder/$1.log"; then
                passed=$((passed + 1))
        else
                failed=$((failed + 1))
                echo "not ok - $1: nothing like $2; see $folder/$1.log"
        fi
}

not()
{
        if grep -qaE -- "$2" "$folder/$1.log"; then
                failed=$((failed + 1))
                echo "not ok - $1: $(grep -aE -m1 -- "$2" "$folder/$1.log")"
        else
                passed=$((passed + 1))
        fi
}

judge()
{
        local name=$1 means=$2 pattern

        for pattern in "fence: $means: memory 64 MiB" 'memory: status 137' 'memory: "probe":"oom"' \
                'memory: "biggest":"barn with [0-9]{8}' 'nearly: "probe":"memory_permille"' \
                'nearly: status 0' 'pids: "probe":"pids_permille"' 'pids: "probe":"limit_hit"' \
                'memory.max:67108864' 'memory.swap.max:0' 'pids.max:32' 'cpu.max:20000 100000' \
                'io.max:.*rbps=20971520 wbps=20971520' '^lo.?$' 'Read-only file system' \
                'missing: status 127' 'fence: rlimits: memory 64 MiB' 'alone: status 0'; do
                sees "$name" "$pattern"
        done
        not "$name" ': left /sys'
}

[[ -d $root ]] || make_root
put_tocsin
boot systemd
boot v2 init=/opt/guest.sh
judge systemd "systemd scope"
sees systemd 'fence: systemd scope: .*not enforced: io'
sees systemd 'user: status 137'
judge v2 "cgroup v2"
echo "$passed passed, $failed failed"
[[ $failed == 0 ]]
