/* cache - a header, then what vkGetPipelineCacheData gave. */
#include "kernels/vulkan/cache.h"

#include "kernels/base/checksum.h"
#include "kernels/base/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX ((size_t)64 << 20)

/* Little-endian, as are the devices' own headers. */
struct header {
	char magic[8];
	uint32_t vendor, device, driver, checksum;
	uint64_t size; /* of what follows */
	uint8_t uuid[VK_UUID_SIZE];
};

_Static_assert(sizeof(struct header) == 48, "as it lies in the file");

static const char magic[8] = "SLUICEP1";

/* All but size and checksum. */
static struct header header_of(const struct vulkan_device *device)
{
	VkPhysicalDeviceProperties properties;
	struct header header = {0};

	vkGetPhysicalDeviceProperties(device->physical, &properties);
	memcpy(header.magic, magic, sizeof magic);
	header.vendor = properties.vendorID;
	header.device = properties.deviceID;
	header.driver = properties.driverVersion;
	memcpy(header.uuid, properties.pipelineCacheUUID, sizeof header.uuid);
	return header;
}

static char *path_make(const struct vulkan_device *device, const char *directory)
{
	struct header header = header_of(device);
	char uuid[2 * VK_UUID_SIZE + 1], *path;

	for (size_t i = 0; i < VK_UUID_SIZE; i++)
		snprintf(uuid + 2 * i, 3, "%02x", header.uuid[i]);
	if (asprintf(&path, "%s/gpu-%s-%08x.kernels", directory, uuid, header.driver) < 0)
		return NULL;
	return path;
}

/* The whole file on the heap; NULL: there is none that could be right. */
static unsigned char *file_read(const char *path, size_t *ret_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned char *bytes = NULL;
	struct stat stat;
	size_t size = 0;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &stat) == 0 && (size_t)stat.st_size >= sizeof(struct header) &&
	    (size_t)stat.st_size <= FILE_BYTES_MAX)
		bytes = malloc((size_t)stat.st_size);
	while (bytes && size < (size_t)stat.st_size) {
		ssize_t n = read(fd, bytes + size, (size_t)stat.st_size - size);

		if (n <= 0)
			break;
		size += (size_t)n;
	}
	close(fd);
	*ret_size = size;
	return bytes;
}

/* Whether the bytes are what this device and driver gave, whole. */
static bool file_is_ours(const struct vulkan_device *device, const unsigned char *bytes,
			 size_t size, uint32_t *ret_checksum)
{
	struct header want = header_of(device), have;

	if (size < sizeof have)
		return false;
	memcpy(&have, bytes, sizeof have);
	want.size = size - sizeof have;
	want.checksum = checksum_crc32c(0, bytes_of(bytes + sizeof have, (size_t)want.size));
	*ret_checksum = want.checksum;
	return memcmp(&want, &have, sizeof have) == 0;
}

static VkPipelineCache cache_make(struct vulkan_device *device, const void *data, size_t size)
{
	const VkPipelineCacheCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO,
		.initialDataSize = size,
		.pInitialData = data,
	};
	VkPipelineCache made;

	if (device->vk.vkCreatePipelineCache(device->device, &info, NULL, &made) != VK_SUCCESS)
		return VK_NULL_HANDLE;
	return made;
}

void cache_open(struct vulkan_device *device, const char *directory, struct vulkan_cache *ret)
{
	unsigned char *bytes = NULL;
	size_t size = 0;
	uint32_t checksum;

	*ret = (struct vulkan_cache){.device = device};
	if (!directory)
		return;
	ret->path = path_make(device, directory);
	if (ret->path)
		bytes = file_read(ret->path, &size);
	if (bytes && file_is_ours(device, bytes, size, &checksum)) {
		ret->cache = cache_make(device, bytes + sizeof(struct header),
					size - sizeof(struct header));
		ret->was_read = ret->cache != VK_NULL_HANDLE;
		ret->checksum = checksum;
	} else if (bytes) {
		log_write(LOG_WARNING, "%s is not of this GPU and driver, or damaged: replaced",
			  ret->path);
	}
	free(bytes);
	if (ret->cache == VK_NULL_HANDLE)
		ret->cache = cache_make(device, NULL, 0);
}

void cache_close(struct vulkan_cache *cache)
{
	if (cache->device)
		cache->device->vk.vkDestroyPipelineCache(cache->device->device, cache->cache, NULL);
	free(cache->path);
	*cache = (struct vulkan_cache){0};
}

/* Under a name that nobody else writes to, then in place of the old one. */
static bool file_replace(const char *path, const unsigned char *bytes, size_t size)
{
	char *other;
	bool done;
	int fd;

	if (asprintf(&other, "%s.%ld", path, (long)getpid()) < 0)
		return false;
	fd = open(other, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	done = fd >= 0 && write(fd, bytes, size) == (ssize_t)size;
	if (fd >= 0)
		close(fd);
	done = done && rename(other, path) == 0;
	if (!done)
		unlink(other);
	free(other);
	return done;
}

void cache_save(struct vulkan_cache *cache)
{
	struct header header;
	struct vulkan_device *device = cache->device;
	unsigned char *bytes;
	size_t size = 0;

	if (!cache->path || cache->cache == VK_NULL_HANDLE)
		return;
	if (device->vk.vkGetPipelineCacheData(device->device, cache->cache, &size, NULL) !=
		    VK_SUCCESS ||
	    size == 0 || size > FILE_BYTES_MAX - sizeof header)
		return;
	bytes = malloc(sizeof header + size);
	if (!bytes)
		return;
	if (device->vk.vkGetPipelineCacheData(device->device, cache->cache, &size,
					      bytes + sizeof header) == VK_SUCCESS) {
		header = header_of(device);
		header.size = size;
		header.checksum = checksum_crc32c(0, bytes_of(bytes + sizeof header, size));
		memcpy(bytes, &header, sizeof header);
		/* A kernel that was found in it is no news. */
		if (header.checksum != cache->checksum) {
			if (file_replace(cache->path, bytes, sizeof header + size))
				cache->checksum = header.checksum;
			else
				log_write(LOG_WARNING, "%s cannot be written", cache->path);
		}
	}
	free(bytes);
}
