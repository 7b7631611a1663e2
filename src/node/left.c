/* The file of left.h: JSON, as everything that people may have to look at by night. */
#include "node/left.h"

#include "node/file.h"

#include "node/driver.h"

enum { LEFT_BYTES_MAX = 64 * 1024 };

static const struct field port_fields[] = {
    FIELD(struct spec_port, name, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 40),
    FIELD(struct spec_port, port, INT, .flags = FIELD_REQUIRED, .min = 1, .max = 65535),
    FIELD(struct spec_port, published, BOOL),
    FIELD(struct spec_port, protocol, TEXT, .max = 3),
};
static const struct schema port_schema =
    SCHEMA(struct spec_port, "left_port", port_fields, "A port.");

static const struct field disk_fields[] = {
    FIELD(struct left_disk, image, TEXT, .flags = FIELD_REQUIRED, .min = 64, .max = 64),
    FIELD(struct left_disk, format, TEXT, .flags = FIELD_REQUIRED, .max = 20),
};
static const struct schema disk_schema =
    SCHEMA(struct left_disk, "left_disk", disk_fields, "A disk.");

static const struct field left_fields[] = {
    FIELD(struct left, id, TEXT, .flags = FIELD_REQUIRED, .prefix = "svc"),
    FIELD(struct left, slot, INT, .flags = FIELD_REQUIRED, .max = SPEC_SERVICES_MAX),
    FIELD(struct left, generation, INT, .max = INT64_MAX),
    FIELD(struct left, form, TEXT, .max = DRIVER_FORM_MAX),
    FIELD(struct left, restart, INT, .max = INT64_MAX),
    FIELD(struct left, starts, INT, .max = INT64_MAX),
    FIELD(struct left, started, TIME),
    FIELD(struct left, stop_ms, INT, .max = INT64_MAX),
    FIELD(struct left, image, TEXT, .max = 64),
    FIELD(struct left, ports, LIST, .max = SPEC_PORTS_MAX, .schema = &port_schema),
    FIELD(struct left, alone, BOOL),
    FIELD(struct left, restored, INT, .max = INT64_MAX),
    FIELD(struct left, runtime, WORD, .words = spec_runtimes),
    FIELD(struct left, image_format, TEXT, .max = 20),
    FIELD(struct left, disks, LIST, .max = LEFT_DISKS_MAX, .schema = &disk_schema),
    FIELD(struct left, snapshots, LIST, .max = SPEC_SNAPSHOTS_MAX,
          .schema = &sighting_snapshot_schema),
    FIELD(struct left, reverted, INT, .max = INT64_MAX),
};
static const struct schema left_schema =
    SCHEMA(struct left, "left", left_fields, "What is left of a service.");

static const char *left_path(const char *folder, struct arena *arena)
{
    return arena_fmt(arena, "%s/state", folder).p;
}

enum rc left_read(const char *folder, struct arena *arena, struct left *ret, struct err *err)
{
    struct str text;
    const struct json *json;
    TRY(file_read(left_path(folder, arena), LEFT_BYTES_MAX, arena, &text, err));
    if (json_parse(text, arena, &json, err) != RC_OK ||
        schema_decode(&left_schema, SCHEMA_WHOLE, json, arena, ret, err) != RC_OK)
        return err_set(err, RC_INVALID, "'%s/state' is broken: remove it, and it is made anew",
                       folder);
    return RC_OK;
}

enum rc left_write(const char *folder, const struct left *l, struct arena *arena, struct err *err)
{
    struct left whole = *l;
    struct buf text;
    struct json_writer w;
    struct spec_port *ports = NEW_N(arena, struct spec_port, l->ports.count);
    for (size_t i = 0; i < l->ports.count; i++) {
        ports[i] = ((const struct spec_port *)l->ports.items)[i];
        ports[i].set = schema_all(&port_schema);
    }
    whole.ports.items = ports;
    struct left_disk *disks = NEW_N(arena, struct left_disk, l->disks.count);
    for (size_t i = 0; i < l->disks.count; i++) {
        disks[i] = ((const struct left_disk *)l->disks.items)[i];
        disks[i].set = schema_all(&disk_schema);
    }
    whole.disks.items = disks;
    struct sighting_snapshot *snapshots =
        NEW_N(arena, struct sighting_snapshot, l->snapshots.count);
    for (size_t i = 0; i < l->snapshots.count; i++) {
        snapshots[i] = ((const struct sighting_snapshot *)l->snapshots.items)[i];
        snapshots[i].set = schema_all(&sighting_snapshot_schema);
    }
    whole.snapshots.items = snapshots;
    whole.set = schema_all(&left_schema);
    buf_init(&text, arena, LEFT_BYTES_MAX);
    json_writer_init(&w, &text);
    schema_encode(&left_schema, &whole, &w);
    ASSERT(!text.full);
    return file_write(left_path(folder, arena), buf_str(&text), err);
}

struct str left_snapshot_ids(const struct left *l, struct arena *arena)
{
    const struct sighting_snapshot *items = l->snapshots.items;
    struct buf text;
    buf_init(&text, arena, SPEC_SNAPSHOTS_MAX * (ID_TEXT_MAX + 1));
    for (size_t i = 0; i < l->snapshots.count; i++)
        buf_fmt(&text, "%.*s ", STRF(items[i].id));
    ASSERT(!text.full);
    return buf_str(&text);
}
