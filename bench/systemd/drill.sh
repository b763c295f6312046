#!/bin/bash
# Inside of boot.sh: installs the service, and does to it what happens to services. Each line says what was and whether.
failed=0
say() { echo "$(date -u +%T) $*"; }
check() { if eval "$2"; then say "ok    $1"; else say "WRONG $1"; failed=$((failed + 1)); systemctl status watcher --no-pager -n 3; fi; }
of() { systemctl show watcher --property="$1" --value; }
within() { for _ in $(seq "$1"); do eval "$2" && return 0; sleep 1; done; return 1; }
watcher() { HOME=/root XDG_STATE_HOME=/var/lib /opt/watcher/bin/watcher "$@"; }

say "process 1 is $(cat /proc/1/comm) of $(systemctl --version | head -1)"
cat > /run/press.py << END
import asyncio
from datetime import UTC, datetime
from watcher.demo.server import DemoServer
async def serve():
    async with DemoServer(now=datetime.now(UTC)) as press:
        print(press.settings_toml(host_delay="0.1s"), flush=True)
        await asyncio.Event().wait()
asyncio.run(serve())
END
systemd-run --quiet --unit=press sh -c '/opt/watcher/bin/python /run/press.py > /run/press.toml'
within 20 'grep -q sources /run/press.toml 2> /dev/null'; sleep 1
mkdir -p /etc/watcher && (umask 077 && echo a-token-of-the-drill > /etc/watcher/metrics-token)
at=$(date -u -d '+75 seconds' +%H:%M)
{
    printf '[metrics]\nlisten = "127.0.0.1:9464"\ntoken = "file:metrics-token"\n'
    printf '[[digests]]\nname = "world"\nat = "%s"\ndirectory = "/var/lib/watcher/out"\n' "$at"
    cat /run/press.toml
} > /etc/watcher/settings.toml
chmod 644 /etc/watcher/settings.toml

check "install" 'watcher service install --system --config /etc/watcher/settings.toml'
check "install again changes nothing" 'watcher service install --system --config /etc/watcher/settings.toml | grep "as it should be"'
check "systemd-analyze verify has nothing to say" '[ -z "$(systemd-analyze verify /etc/systemd/system/watcher.service 2>&1)" ]'
say "$(systemd-analyze security --no-pager watcher.service | tail -1)"
check "ready" '[ "$(of ActiveState) $(of SubState)" = "active running" ]'
pid=$(of MainPID)
check "runs as a user of its own" '[ "$(stat -c %u /proc/$pid)" -ge 61184 ]'
check "without capabilities, new privileges, and with its calls filtered" 'grep -Pzq "CapEff:\t0+\n(.*\n)*NoNewPrivs:\t1\nSeccomp:\t2" /proc/$pid/status'
check "asks for the token that is a credential" '[ "$(curl -s -o /dev/null -w %{http_code} 127.0.0.1:9464/healthz)" = 401 ]'
check "is well" 'curl -sf -H "Authorization: Bearer a-token-of-the-drill" 127.0.0.1:9464/healthz'
check "stores articles: lxml, numpy and uvloop work without writable code" 'within 60 "curl -s -H \"Authorization: Bearer a-token-of-the-drill\" 127.0.0.1:9464/metrics | grep -Eq \"^watcher_articles [1-9][0-9]\""'
check "makes vectors" 'within 60 "watcher status --json --config /etc/watcher/settings.toml | grep -q \"without_vector.: 0,\""'
check "makes the edition of $at" 'within 150 "ls /var/lib/watcher/out/*.html > /dev/null 2>&1"'
ls /var/lib/watcher/out
check "reload" 'systemctl reload watcher && within 5 "journalctl -u watcher -o cat | grep -q ^reloaded"'
check "the same process is ready after it" 'within 5 "[ \"\$(of SubState) \$(of MainPID)\" = \"running $pid\" ]"'
kill -KILL "$pid"
check "a crash: started again" 'within 60 "[ \"\$(of SubState) \$(of NRestarts)\" = \"running 1\" ]"'
pid=$(of MainPID); [ "$pid" -gt 0 ] && kill -STOP "$pid"
check "it hangs: the watchdog has it started again" 'within 60 "[ \"\$(of SubState) \$(of NRestarts)\" = \"running 2\" ]"'
journalctl -u watcher -o cat | grep -i 'watchdog'
began=$(date +%s%N); systemctl stop watcher
check "stopped in order after $((($(date +%s%N) - began) / 1000000)) ms" '[ "$(of ActiveState) $(of Result)" = "inactive success" ]'
echo 'evry = 1' >> /etc/watcher/settings.toml; systemctl start watcher 2> /dev/null; sleep 7
check "wrong settings: not started again and again" '[ "$(of ActiveState) $(of NRestarts)" = "failed 0" ]'
sed -i /evry/d /etc/watcher/settings.toml; systemctl start watcher
check "with them mended it runs" '[ "$(of SubState)" = running ]'
check "status" 'watcher service status --system'
check "no error in the log that has no cause here" '! journalctl -u watcher -o cat -p 3 | grep -v "evry\|in the settings\|^polled"'
check "uninstall" 'watcher service uninstall --system'
check "uninstall again" 'watcher service uninstall --system'
check "store and editions are left" 'ls /var/lib/private/watcher/watcher.db /var/lib/private/watcher/out/*.html > /dev/null'

say "a service of one's own account"
useradd --create-home ann && systemctl start systemd-logind && loginctl enable-linger ann
uid=$(id -u ann)
ann() {
    setpriv --reuid "$uid" --regid "$uid" --init-groups env -i HOME=/home/ann PATH=/opt/watcher/bin:/usr/bin:/bin \
        XDG_RUNTIME_DIR="/run/user/$uid" DBUS_SESSION_BUS_ADDRESS="unix:path=/run/user/$uid/bus" sh -c "cd && $*"
}
hers() { ann "systemctl --user show watcher --property=$1 --value"; }
within 20 'ann "systemctl --user is-system-running" > /dev/null 2>&1'
check "hers: init and install" 'ann "watcher init && watcher service install"'
check "hers: ready" 'within 10 "[ \"\$(hers SubState)\" = running ]"'
pid=$(hers MainPID)
check "hers: without new privileges, and with its calls filtered" 'grep -Pzq "NoNewPrivs:\t1\nSeccomp:\t2" /proc/$pid/status'
check "hers: reload" 'ann "systemctl --user reload watcher" && within 5 "ann \"journalctl --user -u watcher -o cat\" | grep -q ^reloaded"'
kill -KILL "$pid"
check "hers: a crash: started again" 'within 60 "[ \"\$(hers SubState) \$(hers NRestarts)\" = \"running 1\" ]"'
check "hers: status" 'ann "watcher service status && watcher status --alive"'
check "hers: uninstall" 'ann "watcher service uninstall"'
echo "DONE $failed"
