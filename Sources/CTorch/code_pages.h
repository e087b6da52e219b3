/// Pages of a library's code that its initialisers have read and hardly anybody reads again.
#ifndef CODE_PAGES_H
#define CODE_PAGES_H

/// Lets the system take back the pages of code of the library that was opened by that path. Each comes back
/// from the system's cache of the file when it is run again.
///
/// To be called right after the library was opened, while its code is sure to be the file's own.
void give_back_code_pages(const char *path);

#endif
