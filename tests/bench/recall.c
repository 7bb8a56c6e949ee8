/* recall - the index without a server: how long it takes to build, and recall and speed of searches.
 *
 *	recall build FOLDER VECTORS.npy [SEAL_ROWS [FACTORY]]
 *	recall serve FOLDER QUERIES.npy TRUTH.npy
 *
 * build makes FOLDER. SEAL_ROWS is the server's index.seal_rows (16384); in the end all are one segment.
 * FACTORY makes FAISS's index of that string, "HNSW32" for one, in the place of the default one.
 * serve opens it and does what the lines of standard input say, each with one line of JSON as its
 * answer, so that a driver can let it take turns with others (curves.py):
 *
 *	ask RECALL DEPTH N    the first N queries, each for DEPTH hits; RECALL 0: exact
 *	deep RECALL N         of the first N queries hits 1,001 to 1,010: read on, or asked for again
 *
 * TRUTH.npy has the rows nearest to each query, best first. Queries a second are by the processor time
 * of the one thread that searches, p50 and p99 by the clock.
 */
#include "tests/bench/recall_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEAL_ROWS 16384 /* as the server does by default */

int main(int argc, char **argv)
{
	uint64_t seal_rows = argc >= 5 ? strtoull(argv[4], NULL, 10) : SEAL_ROWS;

	if (argc >= 4 && argc <= 6 && strcmp(argv[1], "build") == 0 && seal_rows > 0) {
		recall_build(argv[2], argv[3], seal_rows, argc == 6 ? argv[5] : NULL);
		return 0;
	}
	if (argc == 5 && strcmp(argv[1], "serve") == 0) {
		recall_serve(argv[2], argv[3], argv[4]);
		return 0;
	}
	fputs("usage: recall build FOLDER VECTORS.npy [SEAL_ROWS [FACTORY]]\n"
	      "       recall serve FOLDER QUERIES.npy TRUTH.npy\n",
	      stderr);
	return 2;
}
