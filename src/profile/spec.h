/*
 * spec.h - what the control plane tells an agent, and what the agent says back.
 *
 * A spec is one service as it should be: everything is resolved (parameters, templates, secrets,
 * images by their hash), so that an agent needs no profile and no question. Its generation grows
 * with every change; the agent works towards the newest that it has seen and keeps services up
 * while the control plane is away. A sighting is one service as it is.
 *
 * Both travel as JSON, described by these tables, over requests that are signed (signature.h).
 * Times are UTC; sizes are bytes; processor is thousandths of a core.
 */
#ifndef PROFILE_SPEC_H
#define PROFILE_SPEC_H

#include "base/schema.h"

enum {
    SPEC_FILES_MAX = 64,
    SPEC_FILE_BYTES_MAX = 256 * 1024,
    SPEC_PROCESSES_MAX = 16,
    SPEC_ARGUMENTS_MAX = 64,
    SPEC_PORTS_MAX = 16,
    SPEC_PROMISES_MAX = 32,
    SPEC_PUBLISHED_MAX = 32,
    SPEC_VOLUMES_MAX = 8,
    SPEC_SNAPSHOTS_MAX = 4,   /* of a service at once */
    SPEC_SERVICES_MAX = 1000, /* of one node */
    SPEC_TASKS_MAX = 100,     /* about backups, told to a node at once */
    /* Published ports of a node: below the kernel's own, 32768; each service has its own. */
    SPEC_PORT_FIRST = 16500,
    SPEC_PORT_LAST = SPEC_PORT_FIRST + SPEC_SERVICES_MAX * SPEC_PORTS_MAX - 1,
};

enum spec_runtime { SPEC_CONTAINER, SPEC_VM };
extern const char *const spec_runtimes[];

/* What the control plane wants of it. SPEC_GONE: stop it and remove all that it left. */
enum spec_state { SPEC_RUNNING, SPEC_STOPPED, SPEC_GONE };
extern const char *const spec_states[];

/* A root image or disk, by content. The agent fetches what it lacks from
 * GET /v1/node/images/{sha256}, with ranges, and believes no byte before the hash agrees. */
struct spec_image {
    uint64_t set;
    struct str name; /* "debian-postgresql", for people */
    struct str sha256;
    int64_t bytes;
    struct str format; /* "squashfs" (container), "qcow2", "raw" (vm), "kernel", "initrd" */
};

struct spec_file {
    uint64_t set;
    struct str path; /* absolute, inside the service */
    struct str content;
    int64_t mode; /* 0600 = 384 */
    int64_t user; /* inside the service */
};

struct spec_process {
    uint64_t set;
    struct str name;         /* "server"; "setup" processes run once before the others */
    struct list command;     /* struct str: arguments, no shell */
    struct list environment; /* struct str: "NAME=value" */
    struct str directory;
    int64_t user;
    bool once;       /* runs to its end, once a generation, before what follows it */
    int64_t stop_ms; /* between SIGTERM and SIGKILL */
};

struct spec_port {
    uint64_t set;
    struct str name;     /* "postgresql" */
    int64_t port;        /* inside */
    bool published;      /* reachable from outside, at a port of the node which the agent chooses */
    struct str protocol; /* "tcp", "udp" */
};

/* Kept across generations, restarts and upgrades; removed with SPEC_GONE. */
struct spec_volume {
    uint64_t set;
    struct str name;
    struct str path;
};

/* A check that the service keeps. The agent runs it every so often and tells changes. */
struct spec_promise {
    uint64_t set;
    struct str name;
    struct str kind;     /* "command", "tcp", "http", "disk", "certificate", "temperature" */
    struct list command; /* command: inside the service */
    struct str target;   /* tcp: port name; http: port name and path "web/health"; disk: volume */
    int64_t limit;       /* http: status; disk: percent; certificate: days; temperature: degrees */
    int64_t every_s;
    int64_t timeout_s;
    bool outside; /* of profiles: looked at from other sites, too (probe.h); agents do not see it */
};

/* A backup that the service begins with, or goes back to, done once for each number: fed to its
 * restore command once it runs, or (disk) laid in the place of its disk or volumes before it
 * starts. */
struct spec_restore {
    uint64_t set;
    struct str backup; /* "bak_..." */
    int64_t number;    /* grows with each restore of the service; 0: nothing is restored */
    struct str sha256; /* of the encrypted file */
    int64_t bytes;
    struct str key; /* 64 hexadecimal digits (node/backup_file.h) */
    bool disk;      /* it is all that the service keeps, and is laid before it starts */
};

/* A machine's disks, and its memory where it runs, as they were at one instant; kept in the disks.
 * One that was on the list, and is not any more, is removed. */
struct spec_snapshot {
    uint64_t set;
    struct str id; /* "snp_..." */
    bool take;     /* it was not taken yet; else it is there, or was lost */
};

struct service_spec {
    uint64_t set;
    struct str id; /* "svc_..." */
    int64_t generation;
    int64_t state;           /* enum spec_state */
    int64_t runtime;         /* enum spec_runtime */
    int64_t restart;         /* grows when someone asked for a restart */
    struct str subscription; /* whom its usage is counted for; "sub_..." */
    struct str profile;      /* "postgresql", for people */
    struct str profile_version;
    struct list images; /* struct spec_image: the root first */
    int64_t cpu_milli;
    int64_t memory_bytes;
    int64_t disk_bytes;
    int64_t processes_max;
    int64_t network_bit_s; /* 0: no limit */
    struct list files;     /* struct spec_file */
    struct list processes; /* struct spec_process */
    struct list ports;     /* struct spec_port */
    struct list volumes;   /* struct spec_volume */
    struct list promises;  /* struct spec_promise */
    struct str user_data;  /* vm: cloud-init's user-data */
    struct list backup;    /* struct str: command inside, writes the backup to its output */
    struct list restore;   /* struct str: command inside, reads it from its input */
    struct list end;       /* struct str: command inside, before it is gone for ever */
    int64_t lease_s;       /* failover: the agent stops it when it could not renew for so long; 0 */
    struct spec_restore from;
    struct list snapshots; /* struct spec_snapshot */
    struct str revert;     /* id of the snapshot that it goes back to, once for each number */
    int64_t reverts;       /* grows with each time; 0: never */
    bool alone;            /* it reaches nobody, and nobody but the agent's promises reaches it */
};
extern const struct schema service_spec_schema;
extern const struct schema spec_restore_schema;
/* Of its parts, for profiles, which say these as they are. */
extern const struct schema spec_image_schema;
extern const struct schema spec_file_schema;
extern const struct schema spec_process_schema;
extern const struct schema spec_port_schema;
extern const struct schema spec_volume_schema;
extern const struct schema spec_promise_schema;
extern const struct schema spec_snapshot_schema;

/* GET /v1/node/desired?after=REVISION&wait=SECONDS: all services of the node, always whole. */
struct desired {
    uint64_t set;
    int64_t revision;     /* grows with every change; the same: nothing new */
    struct list services; /* struct service_spec */
};
extern const struct schema desired_schema;

/* --- what the agent says --- */

enum sighting_state {
    SIGHTING_WAITING,   /* known, nothing done yet */
    SIGHTING_PREPARING, /* fetching images, making disks, networks, files */
    SIGHTING_STARTING,
    SIGHTING_RUNNING,
    SIGHTING_STOPPING,
    SIGHTING_STOPPED,
    SIGHTING_FAILED, /* the reason says why; the agent tries again with growing pauses */
    SIGHTING_GONE,   /* nothing of it is left */
};
extern const char *const sighting_states[];

struct sighting_fact {
    uint64_t set;
    struct str name; /* "postgresql.address", "postgresql.port" */
    struct str value;
};

struct sighting_promise {
    uint64_t set;
    struct str name;
    bool kept;
    struct str text; /* why not */
    time_us since;
};

/* What came of a snapshot that was wanted. */
struct sighting_snapshot {
    uint64_t set;
    struct str id;
    bool kept;
    int64_t memory_bytes; /* of the machine's memory in it; 0: it rested */
    struct str reason;    /* why it is not kept */
};

struct sighting {
    uint64_t set;
    struct str id;
    int64_t generation; /* which spec it speaks of */
    int64_t state;      /* enum sighting_state */
    struct str step;    /* "fetching debian-postgresql, 40 %" */
    struct str reason;
    time_us since;         /* in this state */
    int64_t starts;        /* how often it was started, ever */
    struct list facts;     /* struct sighting_fact: addresses and ports that it got */
    struct list promises;  /* struct sighting_promise */
    struct list snapshots; /* struct sighting_snapshot; a node without them says nothing of it */
    int64_t reverted;      /* number of the last that was gone back to */
};
extern const struct schema sighting_schema;
extern const struct schema sighting_snapshot_schema;
extern const struct schema sighting_fact_schema;
extern const struct schema sighting_promise_schema;

/* POST /v1/node/reports: what changed since the last one, or (whole) all of it. What is too long
 * for one comes in several, none of which is whole. */
struct node_report {
    uint64_t set;
    int64_t revision; /* of desired that it has */
    int64_t
        order; /* grows with each report of the node; what comes late changes nothing. 0: none */
    bool whole;
    time_us booted;
    int64_t cpu_milli; /* capacity */
    int64_t memory_bytes;
    int64_t disk_bytes;
    int64_t cpu_used_milli;
    int64_t memory_used_bytes;
    int64_t disk_used_bytes;
    struct list features; /* struct str: "vm:kvm", "vm:qemu", "container", "cgroup:1", "nft" */
    struct str agent;     /* version */
    struct str hostname;
    struct str address;   /* where published ports are reached */
    struct list services; /* struct sighting */
    struct list promises; /* struct sighting_promise: the node's own (disk, temperature) */
};
extern const struct schema node_report_schema;

/* What a report is answered with. */
struct report_answer {
    uint64_t set;
    time_us now;           /* of the control plane */
    int64_t lease_until_s; /* leases that the node held are good for so many seconds more */
    int64_t order;         /* of the newest report: this one was not taken where it is below that */
};
extern const struct schema report_answer_schema;

/* --- backups --- */

/* GET /v1/node/backups: what a node shall do with backups now. Done ones are told (backup_word) and
 * are on the list no more; a node that was killed finds them there again. */
enum backup_task_kind {
    TASK_MAKE, /* run the service's backup command, or take its disk; encrypt, send */
    TASK_SEND, /* it holds the only copy, and another wants it: send */
    TASK_HOLD, /* fetch it and keep it, for a service of another site */
    TASK_DROP, /* remove what it holds */
};
extern const char *const backup_task_kinds[];
struct backup_task {
    uint64_t set;
    struct str id; /* "bak_..." */
    int64_t kind;  /* enum backup_task_kind */
    struct str service;
    struct str sha256;
    int64_t bytes;  /* of it; of MAKE: at most so many */
    struct str key; /* of MAKE: who holds it for others never learns it */
    bool disk;      /* of MAKE: all that it keeps, as it lies on the disk; no command is run */
};
struct backup_tasks {
    uint64_t set;
    struct list tasks; /* struct backup_task */
};
extern const struct schema backup_task_schema;
extern const struct schema backup_tasks_schema;

/* POST /v1/node/backups/{backup}: what became of a task. */
struct backup_word {
    uint64_t set;
    int64_t kind; /* of the task */
    bool failed;
    struct str reason;
    struct str sha256;
    int64_t bytes;
};
extern const struct schema backup_word_schema;

/* POST /v1/node/backups/{backup}/pieces?offset=N takes bytes that follow what is there; a piece
 * that does not is passed over. The answer says how many there are: go on from there. */
struct backup_piece_query {
    uint64_t set;
    int64_t offset;
};
struct backup_have {
    uint64_t set;
    int64_t bytes;
};
extern const struct schema backup_piece_query_schema;
extern const struct schema backup_have_schema;

#endif
