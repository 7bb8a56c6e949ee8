/* filter_option - --filter, read against the collection's fields. */
#include "service/cli/filter_option.h"

#include "service/cli/methods.h"

status filter_option_read(struct cli *cli, Sluice__V1__Filter **ret)
{
	const char *text = arguments_value(cli->arguments, "filter");
	Sluice__V1__GetCollectionRequest request = SLUICE__V1__GET_COLLECTION_REQUEST__INIT;
	Sluice__V1__Collection none = SLUICE__V1__COLLECTION__INIT;
	const Sluice__V1__GetCollectionResponse *response;
	SCOPED(answer) answer = NULL;
	status read;

	if (!text)
		return status_ok();
	request.name = cli_name(cli, 0);
	TRY(cli_ask(cli, &method_get_collection, &request.base, &answer));
	response = (const Sluice__V1__GetCollectionResponse *)answer;
	read = filter_words_read(cli->arena, text,
				 response->collection ? response->collection : &none, ret);
	if (read.code == STATUS_INVALID_ARGUMENT)
		return arguments_misuse(cli->arguments, "--%s", read.detail);
	return read;
}
