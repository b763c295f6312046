#!/bin/bash
# Boots systemd itself on a throw-away copy of this machine and runs drill.sh in it: no container engine is needed.
#
#     sudo bench/systemd/boot.sh dist/watcher_digests-*.whl
#
# It needs root, systemd, overlayfs and a Python 3 with venv in /usr/bin. Nothing outside of a folder in /tmp is written:
# the copy is an overlay, with processes, mounts, network and control groups of its own. Prints what drill.sh says.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=${WORK:-$(mktemp -d /tmp/systemd-drill.XXXXXX)}
if [ "${1:-}" != --inside ]; then
    mkdir -p "$work/shared" && cp "$here/drill.sh" "$1" "$work/shared/" && : > "$work/shared/log" && : > "$work/console"
    groups=$(findmnt --noheadings --types cgroup2 --output TARGET | head -1)/drill.$$
    mkdir "$groups"
    (
        echo $BASHPID > "$groups/cgroup.procs"
        WORK=$work exec unshare --mount --pid --ipc --uts --cgroup --fork --kill-child \
            bash "$here/$(basename "$0")" --inside < /dev/null > "$work/out" 2>&1
    ) &
    for _ in $(seq 420); do sleep 1; grep -q '^DONE' "$work/shared/log" && break; kill -0 $! 2> /dev/null || break; done
    kill -KILL $! 2> /dev/null || true
    cat "$work/shared/log"
    sleep 1 && find "$groups" -depth -type d -exec rmdir {} + || true
    grep -q '^DONE 0' "$work/shared/log"
    exit
fi
mount --make-rprivate /
mkdir -p "$work/copy" && mount -t tmpfs tmpfs "$work/copy"
mkdir "$work/copy/upper" "$work/copy/own" "$work/copy/root"
root=$work/copy/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/copy/upper,workdir=$work/copy/own" "$root"
chroot "$root" /usr/bin/python3 -m venv /opt/watcher
mkdir -p "$root/shared" && mount --bind "$work/shared" "$root/shared"
chroot "$root" sh -c '/opt/watcher/bin/pip install --quiet --disable-pip-version-check "$(ls /shared/*.whl)[semantic]"'
units=$root/etc/systemd/system
rm -f "$units"/*.wants/*  # nothing of this machine is started
for unit in systemd-sysctl systemd-udevd systemd-udev-trigger systemd-modules-load console-getty; do
    ln -sf /dev/null "$units/$unit.service"
done
for unit in getty.target dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount; do
    ln -sf /dev/null "$units/$unit"
done
: > "$root/etc/fstab" && rm -f "$root/etc/machine-id" && echo 11112222333344445555666677778888 > "$root/etc/machine-id"
mkdir -p "$units/multi-user.target.wants" "$units/watcher.service.d"
printf '[Service]\nWatchdogSec=20\n' > "$units/watcher.service.d/drill.conf"  # two minutes would be long to wait for
printf '[Service]\nType=oneshot\nTimeoutStartSec=infinity\nExecStart=/bin/bash /shared/drill.sh\n' > "$units/drill.service"
printf 'StandardOutput=append:/shared/log\nStandardError=append:/shared/log\n' >> "$units/drill.service"
ln -sf /etc/systemd/system/drill.service "$units/multi-user.target.wants/drill.service"
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys" && mount -o remount,ro,bind "$root/proc/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/run" && mount -t tmpfs tmpfs "$root/dev" && mkdir "$root/dev/shm" "$root/dev/pts"
for device in null zero full random urandom tty; do
    touch "$root/dev/$device" && mount --bind "/dev/$device" "$root/dev/$device"
done
mount -t devpts devpts "$root/dev/pts" -o newinstance,ptmxmode=0666 && ln -s pts/ptmx "$root/dev/ptmx"
touch "$root/dev/console" && mount --bind "$work/console" "$root/dev/console"
export root  # mounts are shared, as a container manager would do: credentials come that way
exec unshare --net bash -c '
    ip link set lo up
    mount -t sysfs -o ro sysfs "$root/sys" && mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
    mkdir -p "$root/before" && cd "$root" && pivot_root . before && umount -l /before && mount --make-rshared /
    exec /usr/bin/env -i container=drill PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        /lib/systemd/systemd --system --unit=multi-user.target --log-target=console'
