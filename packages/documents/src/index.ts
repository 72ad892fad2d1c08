// Makes files that people read out of data that programs made.
export { retentionReportPdf } from './retention-report.ts'
