"""The bundled data files, each with a record of its source, licence and checksum beside it."""
