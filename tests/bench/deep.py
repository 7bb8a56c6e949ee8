#!/usr/bin/env python3
"""What depth costs, and how soon a cancelled search stops: walk.c over the corpus."""

import subprocess
import sys

sys.dont_write_bytecode = True
import workbench


def main():
    corpus = workbench.corpus()
    with workbench.scratch() as folder, workbench.serve(folder) as server:
        print(workbench.machine(folder), flush=True)
        workbench.import_rows(server, "corpus", corpus / "chunks.jsonl", corpus / "vectors.npy")
        subprocess.run(
            [workbench.program("walk"), server.address, "corpus", corpus / "queries.npy"],
            check=True,
        )


if __name__ == "__main__":
    main()
