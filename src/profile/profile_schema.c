/* The tables of profile.h. */
#include "profile/profile.h"

const char *const parameter_types[] = {"string", "integer", "boolean", NULL};
static const char *const image_formats[] = {"squashfs", "qcow2", "raw", NULL};

const char *const profile_programs[] = {"hanse", "hanse-pico", NULL};

bool profile_is_program(struct str name)
{
    for (size_t i = 0; profile_programs[i] != NULL; i++)
        if (str_eq(name, str_c(profile_programs[i])))
            return true;
    return false;
}

#define INTEGER_MAX INT64_C(1000000000000)

static const struct field image_fields[] = {
    FIELD(struct profile_image, name, TEXT, .min = 1, .max = 60,
          .doc = "Name under which it is registered; the profile's, where it is not said."),
    FIELD(struct profile_image, packages, LIST, .max = PROFILE_PACKAGES_MAX,
          .doc = "Debian packages that the root is made of."),
    FIELD(struct profile_image, programs, LIST, .max = PROFILE_PROGRAMS_MAX,
          .doc = "Programs of Hanse that are put into it: hanse, hanse-pico."),
    FIELD(struct profile_image, format, TEXT, .words = image_formats,
          .doc = "squashfs for containers; qcow2 or raw for virtual machines."),
    FIELD(struct profile_image, disks, LIST, .max = PROFILE_DISKS_MAX,
          .doc = "Images of the further disks of a virtual machine, by their names."),
};
static const struct schema image_schema =
    SCHEMA(struct profile_image, "profile_image", image_fields, "How the root is made.");

static const struct field parameter_fields[] = {
    FIELD(struct profile_parameter, name, TEXT, .flags = FIELD_REQUIRED, .min = 1,
          .max = PROFILE_NAME_MAX, .doc = "By which templates know it."),
    FIELD(struct profile_parameter, title, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 80,
          .doc = "In forms."),
    FIELD(struct profile_parameter, doc, TEXT, .max = 400, .doc = "What it does."),
    FIELD(struct profile_parameter, type, WORD, .flags = FIELD_REQUIRED, .words = parameter_types,
          .doc = "Which kind of value."),
    {.name = "enum",
     .type = FIELD_LIST,
     .offset = offsetof(struct profile_parameter, values),
     .min = 1,
     .max = 100,
     .doc = "The only texts there are."},
    FIELD(struct profile_parameter, minimum, INT, .min = -INTEGER_MAX, .max = INTEGER_MAX,
          .doc = "Of an integer."),
    FIELD(struct profile_parameter, maximum, INT, .min = -INTEGER_MAX, .max = INTEGER_MAX,
          .doc = "Of an integer."),
    FIELD(struct profile_parameter, min_length, INT, .max = PROFILE_VALUE_MAX,
          .doc = "Characters of a string."),
    FIELD(struct profile_parameter, max_length, INT, .max = PROFILE_VALUE_MAX,
          .doc = "Characters of a string; 200 where it is not said."),
    FIELD(struct profile_parameter, pattern, TEXT, .min = 1,
          .doc = "A row of classes: [a-z][a-z0-9_]{0,62}."),
    FIELD(struct profile_parameter, multiline, BOOL, .doc = "A string may have line ends."),
    {.name = "default",
     .type = FIELD_JSON,
     .offset = offsetof(struct profile_parameter, fallback),
     .doc = "What holds where the client says nothing."},
};
const struct schema profile_parameter_schema =
    SCHEMA(struct profile_parameter, "profile_parameter", parameter_fields,
           "Something that the client chooses.");

static const struct field secret_fields[] = {
    FIELD(struct profile_secret, name, TEXT, .flags = FIELD_REQUIRED, .min = 1,
          .max = PROFILE_NAME_MAX, .doc = "By which templates know it."),
    FIELD(struct profile_secret, title, TEXT, .max = 80, .doc = "For people."),
    FIELD(struct profile_secret, length, INT, .min = 12, .max = 64,
          .doc = "Letters and digits; 24 where it is not said."),
};
static const struct schema secret_schema =
    SCHEMA(struct profile_secret, "profile_secret", secret_fields, "Made once for each service.");

static const struct field resource_fields[] = {
    FIELD(struct profile_resources, cpu, TEXT, .flags = FIELD_REQUIRED, .min = 1,
          .doc = "Cores: \"2\", or thousandths of one: \"500m\"."),
    FIELD(struct profile_resources, memory, TEXT, .flags = FIELD_REQUIRED, .min = 1,
          .doc = "\"512 MiB\"."),
    FIELD(struct profile_resources, disk, TEXT, .flags = FIELD_REQUIRED, .min = 1,
          .doc = "\"10 GiB\"."),
    FIELD(struct profile_resources, network, TEXT, .min = 1, .doc = "\"100 Mbit\" a second."),
    FIELD(struct profile_resources, processes, INT, .min = 1, .max = 100000,
          .doc = "Processes and threads; 500 where it is not said."),
};
static const struct schema resources_schema =
    SCHEMA(struct profile_resources, "profile_resources", resource_fields, "What it takes.");

static const struct field file_fields[] = {
    FIELD(struct profile_file, path, TEXT, .flags = FIELD_REQUIRED, .min = 2, .max = 1000,
          .doc = "Absolute, inside the service."),
    FIELD(struct profile_file, content, TEXT, .flags = FIELD_REQUIRED | FIELD_MULTILINE,
          .max = SPEC_FILE_BYTES_MAX, .doc = "A template."),
    FIELD(struct profile_file, kind, WORD, .words = template_kinds,
          .doc = "How values are escaped in it."),
    FIELD(struct profile_file, mode, TEXT, .min = 4, .max = 4, .doc = "Octal: \"0600\"."),
    FIELD(struct profile_file, user, INT, .max = 65535, .doc = "Owner inside the service."),
};
static const struct schema file_schema =
    SCHEMA(struct profile_file, "profile_file", file_fields, "A file of the service.");

static const struct field published_fields[] = {
    FIELD(struct profile_published, name, TEXT, .flags = FIELD_REQUIRED, .min = 1,
          .max = PROFILE_NAME_MAX, .doc = "By which services that need it know it."),
    FIELD(struct profile_published, title, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 80,
          .doc = "For people."),
    FIELD(struct profile_published, value, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 1000,
          .doc = "A template."),
    FIELD(struct profile_published, secret, BOOL, .doc = "Hidden until it is asked for."),
};
static const struct schema published_schema = SCHEMA(struct profile_published, "profile_published",
                                                     published_fields, "What the client is told.");

static const struct field need_fields[] = {
    FIELD(struct profile_need, name, TEXT, .flags = FIELD_REQUIRED, .min = 1,
          .max = PROFILE_NAME_MAX, .doc = "In front of what it publishes: NAME.url."),
    FIELD(struct profile_need, profile, TEXT, .flags = FIELD_REQUIRED, .min = 1,
          .max = PROFILE_NAME_MAX, .doc = "Kind of the service."),
    FIELD(struct profile_need, shared, BOOL,
          .doc = "Where none is named, one that the client has is taken."),
    FIELD(struct profile_need, ordered, BOOL,
          .doc = "Where none is named or taken, one is ordered with it."),
};
static const struct schema need_schema =
    SCHEMA(struct profile_need, "profile_need", need_fields, "Another service that this one uses.");

static const struct field price_fields[] = {
    FIELD(struct profile_price, currency, TEXT, .flags = FIELD_REQUIRED, .min = 3, .max = 3,
          .doc = "ISO 4217."),
    FIELD(struct profile_price, month, DECIMAL, .doc = "A month."),
    FIELD(struct profile_price, setup, DECIMAL, .doc = "Once."),
};
static const struct schema price_schema =
    SCHEMA(struct profile_price, "profile_price", price_fields, "What it might be sold for.");

static const struct field profile_fields[] = {
    FIELD(struct profile, name, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = PROFILE_NAME_MAX,
          .doc = "Letters, digits and '-'."),
    FIELD(struct profile, version, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 40,
          .doc = "A new one for each change."),
    FIELD(struct profile, title, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 80,
          .doc = "For people."),
    FIELD(struct profile, description, TEXT, .flags = FIELD_MULTILINE, .max = 4000,
          .doc = "What it is good for."),
    FIELD(struct profile, author, TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 80,
          .doc = "Who wrote it."),
    FIELD(struct profile, category, TEXT, .max = 40, .doc = "Shelf of the catalogue."),
    FIELD(struct profile, runtime, WORD, .flags = FIELD_REQUIRED, .words = spec_runtimes,
          .doc = "What runs it."),
    FIELD(struct profile, image, OBJECT, .flags = FIELD_REQUIRED, .schema = &image_schema,
          .doc = "How the root is made."),
    FIELD(struct profile, parameters, LIST, .max = PROFILE_PARAMETERS_MAX,
          .schema = &profile_parameter_schema, .doc = "What the client chooses."),
    FIELD(struct profile, secrets, LIST, .max = PROFILE_SECRETS_MAX, .schema = &secret_schema,
          .doc = "What is made once."),
    FIELD(struct profile, resources, OBJECT, .flags = FIELD_REQUIRED, .schema = &resources_schema,
          .doc = "What it takes."),
    FIELD(struct profile, files, LIST, .max = SPEC_FILES_MAX, .schema = &file_schema,
          .doc = "Its files."),
    FIELD(struct profile, processes, LIST, .max = SPEC_PROCESSES_MAX,
          .schema = &spec_process_schema, .doc = "Its processes."),
    FIELD(struct profile, ports, LIST, .max = SPEC_PORTS_MAX, .schema = &spec_port_schema,
          .doc = "Where it listens."),
    FIELD(struct profile, volumes, LIST, .max = SPEC_VOLUMES_MAX, .schema = &spec_volume_schema,
          .doc = "What is kept."),
    FIELD(struct profile, promises, LIST, .max = SPEC_PROMISES_MAX, .schema = &spec_promise_schema,
          .doc = "What it keeps."),
    FIELD(struct profile, publishes, LIST, .max = SPEC_PUBLISHED_MAX, .schema = &published_schema,
          .doc = "What the client is told."),
    FIELD(struct profile, meters, LIST, .max = 20, .doc = "What is counted."),
    FIELD(struct profile, user_data, TEXT, .flags = FIELD_MULTILINE, .max = 65536,
          .doc = "Of a virtual machine: a template of cloud-init's user-data."),
    FIELD(struct profile, backup, LIST, .max = SPEC_ARGUMENTS_MAX,
          .doc = "Command that writes the backup."),
    FIELD(struct profile, restore, LIST, .max = SPEC_ARGUMENTS_MAX,
          .doc = "Command that reads a backup."),
    FIELD(struct profile, end, LIST, .max = SPEC_ARGUMENTS_MAX,
          .doc = "Command that takes away what it made elsewhere, when it is cancelled."),
    FIELD(struct profile, drill_every_days, INT, .max = 366,
          .doc = "Days between two trials of a backup; 0: only when asked for."),
    FIELD(struct profile, backup_every_s, INT, .max = 31 * 86400,
          .doc = "Seconds between two backups, at least 60; 0: a day."),
    FIELD(struct profile, backup_disk, BOOL,
          .doc = "Of a virtual machine: its disk is backed up while it runs."),
    FIELD(struct profile, needs, LIST, .max = PROFILE_NEEDS_MAX, .schema = &need_schema,
          .doc = "Services that it uses."),
    FIELD(struct profile, price, OBJECT, .schema = &price_schema,
          .doc = "What it might be sold for."),
    FIELD(struct profile, public, BOOL,
          .doc = "The public sees it: the law of the place wants its licence."),
};
const struct schema service_profile_schema =
    SCHEMA(struct profile, "profile", profile_fields, "A kind of service.");
