/* Preloaded into a process, this makes the folder MOUNT behave like a mount of Azure Files or FUSE: the calls that
 * MOUNT_REFUSES lists, as NAME=ERRNO,…, fail there. statvfs=0 reports 0 of 0 bytes, as FUSE does when nobody says. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* Return the errno with which the call fails, 0 for success without an effect, -1 when it is not in the list. */
static int listed(const char *name) {
    const char *list = getenv("MOUNT_REFUSES");
    size_t length = strlen(name);
    for (const char *at = list; at && *at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        if (!strncmp(at, name, length) && at[length] == '=')
            return atoi(at + length + 1);
    return -1;
}

static int below(const char *path) {
    const char *mount = getenv("MOUNT");
    return mount && !strncmp(path, mount, strlen(mount));
}

/* Return whether NAME fails for the open DESCRIPTOR, or for a relative PATH in it. */
static int refuses(const char *name, int descriptor, const char *path) {
    char link[64], target[PATH_MAX];
    int error = listed(name);
    if (error < 0)
        return 0;
    if (path && *path == '/') {
        snprintf(target, sizeof target, "%s", path);
    } else {
        snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
        ssize_t count = readlink(descriptor == AT_FDCWD ? "/proc/self/cwd" : link, target, sizeof target - 1);
        target[count < 0 ? 0 : count] = 0;
    }
    errno = error;
    return below(target);
}

#define REFUSE(name, descriptor, path, call) return refuses(#name, descriptor, path) ? -1 : (call)

int fchmod(int fd, mode_t mode) { REFUSE(chmod, fd, NULL, REAL(fchmod)(fd, mode)); }
int chmod(const char *path, mode_t mode) { REFUSE(chmod, AT_FDCWD, path, REAL(chmod)(path, mode)); }
int fchmodat(int fd, const char *path, mode_t mode, int flags) {
    REFUSE(chmod, fd, path, REAL(fchmodat)(fd, path, mode, flags));
}
int fsync(int fd) { REFUSE(fsync, fd, NULL, REAL(fsync)(fd)); }
int flock(int fd, int operation) {
    REFUSE(flock, fd, NULL, ((int (*)(int, int))dlsym(RTLD_NEXT, "flock"))(fd, operation));
}
int linkat(int from, const char *old, int to, const char *new, int flags) {
    REFUSE(link, to, new, REAL(linkat)(from, old, to, new, flags));
}
int symlinkat(const char *target, int fd, const char *path) { REFUSE(symlink, fd, path, REAL(symlinkat)(target, fd, path)); }
int renameat(int from, const char *old, int to, const char *new) {
    struct stat status;
    if (!fstatat(from, old, &status, AT_SYMLINK_NOFOLLOW) && S_ISDIR(status.st_mode) && refuses("rename", to, new))
        return -1;
    return REAL(renameat)(from, old, to, new);
}
int fstatvfs(int fd, struct statvfs *status) {
    if (!refuses("statvfs", fd, NULL))
        return REAL(fstatvfs)(fd, status);
    memset(status, 0, sizeof *status);
    return errno ? -1 : 0;
}
int fstatvfs64(int fd, struct statvfs64 *status) {
    if (!refuses("statvfs", fd, NULL))
        return REAL(fstatvfs64)(fd, status);
    memset(status, 0, sizeof *status);
    return errno ? -1 : 0;
}
