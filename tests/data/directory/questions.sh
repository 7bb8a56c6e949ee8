# What is asked of the data directory here: sourced by `make`, which keeps the answers, and by the test,
# which wants them again. Expects `sluice`, SLUICE_SERVER and a file `token` in the working folder.

# Hits alone: the last line of each search says how long it took.
hits() { "$sluice" search "$@" --json | grep -v '^{"summary"'; }

ask() {
	local collection
	for collection in plain half lists; do
		echo "== $collection"
		"$sluice" count "$collection"
		"$sluice" count "$collection" --filter 'year>=2000, lang in (en, de)'
		hits "$collection" --vector '[0.5, -1, 0.25, 2, 0, 1, -0.5, 0.125]' --exact --limit 12
		hits "$collection" --vector '[0.5, -1, 0.25, 2, 0, 1, -0.5, 0.125]' --exact --limit 9 \
			--filter 'tags=red, !lang=fr'
		hits "$collection" --like row-77 --exact --limit 5 --neighbors 1,1
		"$sluice" get "$collection" row-7 row-401 --vector
		"$sluice" list "$collection" --filter 'document_id=doc-3' --limit 8
	done
	echo "== a walk that goes on"
	hits plain --vector '[0.5, -1, 0.25, 2, 0, 1, -0.5, 0.125]' --exact --limit 5 \
		--resume "$(cat token)"
}
