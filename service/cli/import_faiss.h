/* import_faiss - the other way of the import command: --faiss FILE [--ids FILE]. */
#ifndef SLUICE_SERVICE_CLI_IMPORT_FAISS_H
#define SLUICE_SERVICE_CLI_IMPORT_FAISS_H

#include "service/cli/commands.h"

/* import_faiss - Fails: as reading the files, finding the collection and the server do */
status import_faiss(struct cli *cli);

#endif
