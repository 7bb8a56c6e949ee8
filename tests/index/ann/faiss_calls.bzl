"""What a program links with to use faiss_calls.h."""

FAISS_CALLS_LINKOPTS = [
    "-Wl,--wrap=faiss_" + name
    for name in [
        "Clustering_train",
        "Index_add",
        "Index_assign",
        "Index_compute_residual_n",
        "Index_search",
        "Index_train",
        "VectorTransform_apply_noalloc",
        "VectorTransform_train",
        "read_index",
        "write_index",
    ]
]
