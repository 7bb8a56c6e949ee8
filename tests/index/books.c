/* books - see books.h. */
#include "tests/index/books.h"

void books_open(struct books *books)
{
	fixture_open(2);
	books->collection = fixture_collection("books");
}

void books_close(struct books *books)
{
	collection_release(TAKE(books->collection));
	fixture_close();
}

void books_change(struct books *books)
{
	struct change change;

	change_draw(&change, &books->random, ++books->version);
	change_write(&change, books->collection);
	model_apply(&books->model, &change);
	change_finish(&change);
}

struct collection_status books_status(const struct books *books)
{
	struct collection_status ret;

	collection_status(books->collection, &ret);
	return ret;
}

void books_check(const struct books *books)
{
	SCOPED(snapshot) snapshot = NULL;

	cr_assert_not(status_failed(snapshot_acquire(books->collection, &snapshot)));
	model_check(&books->model, snapshot);
	model_check_ids(&books->model, books->collection);
}
