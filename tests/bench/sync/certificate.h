/* A certificate for a server of this bench, signed by itself. */
#ifndef GOAT_BENCH_CERTIFICATE_H
#define GOAT_BENCH_CERTIFICATE_H

/* Writes FOLDER.pem and FOLDER.key beside the folder; their names have room for 300 bytes. */
void certificate_make(const char *folder, char certificate[300], char key[300]);

#endif
