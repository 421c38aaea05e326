/**
 * Names that a generated header for C and C++ must not give to anything of its own.
 *
 * @module
 */

/**
 * Keywords, types that the header uses, and macros in lower case that its includes define. No member
 * can have these names.
 */
export const RESERVED: string = `
  alignas alignof and and_eq asm atomic auto bitand bitor bool break case catch char char8_t
  char16_t char32_t class compl concept const consteval constexpr constinit const_cast continue
  co_await co_return co_yield decltype default delete do double dynamic_cast else enum explicit
  export extern false float for friend goto if inline int linux long mutable namespace new
  noexcept not not_eq nullptr offsetof operator or or_eq private protected public register
  reinterpret_cast requires restrict return short signed sizeof static static_assert static_cast
  std struct switch template this thread_local throw true try typedef typeid typename typeof
  typeof_unqual union unix unsigned using virtual void volatile wchar_t while xor xor_eq NULL i386
  errno size_t ptrdiff_t nullptr_t max_align_t int8_t int16_t int32_t int64_t uint8_t uint16_t
  uint32_t uint64_t intptr_t uintptr_t intmax_t uintmax_t main
  sched_priority st_atime st_ctime st_mtime stderr stdin stdout`;

/** What the includes, and the functions that open objects, declare: no type can have these names. */
export const GLOBALS: string = `
  access acct alarm blkcnt_t blksize_t brk chdir chmod chown chroot close close_range closefrom
  confstr copy_file_range creat creat64 crypt ctermid daemon dev_t dup dup2 dup3 eaccess encrypt
  endusershell environ error_t euidaccess execl execle execlp execv execve execveat execvp execvpe
  f_owner_ex faccessat fallocate fallocate64 fchdir fchmod fchmodat fchown fchownat fcntl fcntl64
  fdatasync fexecve file_handle flock flock64 fork fpathconf fstat fstat64 fstatat fstatat64 fsync
  ftruncate ftruncate64 futimens get_current_dir_name getcwd getdomainname getdtablesize getegid
  getentropy geteuid getgid getgroups gethostid gethostname getlogin getlogin_r getopt getpagesize
  getpass getpgid getpgrp getpid getppid getresgid getresuid getsid gettid getuid getumask
  getusershell getwd gid_t group_member ino_t int_fast16_t int_fast32_t int_fast64_t int_fast8_t
  int_least16_t int_least32_t int_least64_t int_least8_t iovec isatty issetugid lchmod lchown link
  linkat lockf lockf64 lseek lseek64 lstat lstat64 madvise memfd_create mincore mkdir mkdirat
  mkfifo mkfifoat mknod mknodat mlock mlock2 mlockall mmap mmap64 mode_t mprotect mremap mseal
  msync munlock munlockall munmap name_to_handle_at nfds_t nice nlink_t off64_t off_t open open64
  open_by_handle_at openat openat64 optarg opterr optind optopt optreset pathconf pause pid_t pipe
  pipe2 pkey_alloc pkey_free pkey_get pkey_mprotect pkey_set poll pollfd posix_close posix_fadvise
  posix_fadvise64 posix_fallocate posix_fallocate64 posix_madvise ppoll pread pread64
  process_madvise process_mrelease profil program_invocation_name program_invocation_short_name
  pwrite pwrite64 read readahead readlink readlinkat remap_file_pages revoke rmdir sbrk
  setdomainname setegid seteuid setgid setgroups sethostid sethostname setlogin setpgid setpgrp
  setregid setresgid setresuid setreuid setsid setuid setusershell shm_open shm_unlink
  shmkit_attach shmkit_lock shmkit_number shmkit_open shmkit_trailer sigset_t sleep socklen_t
  splice ssize_t stat stat64 statx statx_timestamp swab symlink symlinkat sync sync_file_range
  syncfs syscall sysconf tcgetpgrp tcsetpgrp tee time_t timespec truncate truncate64 ttyname
  ttyname_r ttyslot ualarm uid_t uint_fast16_t uint_fast32_t uint_fast64_t uint_fast8_t
  uint_least16_t uint_least32_t uint_least64_t uint_least8_t umask unlink unlinkat useconds_t
  usleep utimensat vfork vhangup vmsplice write`;
