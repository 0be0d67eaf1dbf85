module github.com/coatcheck/session

// The oldest Go that has the fixes for the cookie parser (GO-2025-4012) and for CrossOriginProtection (GO-2025-3955).
// Supported are this and every later release; nothing outside the standard library is required, now or later.
go 1.25.2
