# Run by systemd_test.py in a container that systemd has booted, as a unit beside sluice.service.
# Leaves in /out what systemd and the server say.
set -x
for ((i = 0; i < 300; i++)); do
	/opt/sluice info && break
	sleep 0.2
done
pid=$(systemctl show sluice --property MainPID --value)
cp "/proc/$pid/status" /out/status
/opt/sluice import manual /opt/sample/chunks.jsonl --vectors /opt/sample/vectors.npy --create
/opt/sluice optimize manual
/opt/sluice search manual --vector-file /opt/sample/questions.npy --limit 3 --json \
	--server unix:/run/sluice/sluice.sock >/out/hits
stat --format '%U:%G %a %n' /var/lib/sluice /run/sluice /run/sluice/sluice.sock >/out/files
systemctl reload sluice
for ((i = 0; i < 300; i++)); do
	journalctl --unit sluice --quiet | grep -q 'INFO reload:' && break
	sleep 0.2
done
systemctl stop sluice
systemctl show sluice --property Result,ExecMainStatus,NRestarts >/out/end
journalctl --unit sluice --quiet --output cat >/out/log
